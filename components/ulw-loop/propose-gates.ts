/** What a repository could ask of every goal: the command by which it tests itself, found in its own manifests. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What npm writes into a new package. */
const NO_TEST = /no test specified/;

/** @returns commands, the most telling first; none where nothing is found */
export function proposeGates(root: string): readonly string[] {
  const read = (name: string): string => {
    try {
      return readFileSync(join(root, name), "utf8");
    } catch {
      return "";
    }
  };
  const found: string[] = [];
  const test = scriptsIn(read("package.json")).test ?? "";
  if (test !== "" && !NO_TEST.test(test)) found.push(`${runner(read)} test`);
  if (/^\[tool\.pytest|^pytest\b/m.test(read("pyproject.toml")) || read("pytest.ini") !== "")
    found.push("pytest");
  if (/^\[(package|workspace)\]/m.test(read("Cargo.toml"))) found.push("cargo test");
  if (/^module /m.test(read("go.mod"))) found.push("go test ./...");
  if (/^test:/m.test(read("Makefile"))) found.push("make test");
  return found;
}

/** The package manager that the lock file belongs to. */
function runner(read: (name: string) => string): string {
  if (read("pnpm-lock.yaml") !== "") return "pnpm";
  if (read("yarn.lock") !== "") return "yarn";
  if (read("bun.lock") !== "") return "bun run";
  return "npm";
}

function scriptsIn(text: string): Readonly<Record<string, string>> {
  try {
    return JSON.parse(text).scripts ?? {};
  } catch {
    return {};
  }
}
