/** The Codex that the demo plays in: the one on PATH, or the one that the tests installed. */

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** @throws Error that says how to get one */
export async function findCodex(root: string): Promise<string> {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const places = [...folders, join(root, "test", "hosts", "node_modules", ".bin")].map((folder) =>
    join(folder, "codex"),
  );
  const found = places.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (found !== undefined) return found;
  throw new Error("there is no codex on PATH. Next: npm i -g @openai/codex, or npm ci --prefix test/hosts");
}
