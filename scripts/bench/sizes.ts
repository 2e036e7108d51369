/** What an agent has to type and read on the demo's honest way, and how big the program is. */

import { readdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Row } from "./table.ts";

const BYTES_A_TOKEN = 4;

/** Plays the demo. @throws Error when it fails */
export async function honestWay(root: string): Promise<readonly Row[]> {
  const child = Bun.spawn([process.execPath, join(root, "scripts", "demo.ts"), "--json"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [text, exit] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  if (exit !== 0) throw new Error("the demo failed");
  const { honest, folder, ms } = JSON.parse(text);
  await rm(folder, { recursive: true, force: true });
  const section = "The demo: two goals, four criteria";
  const most = (value: number) => ({ at: "most", value }) as const;
  return [
    {
      section,
      what: "commands of the honest way",
      value: honest.commands,
      unit: "commands",
      budget: most(12),
    },
    {
      section,
      what: "our text that an honest agent reads",
      value: honest.bytes / BYTES_A_TOKEN,
      unit: "tokens",
      budget: most(6000),
      detail: `${honest.bytes} bytes, ${BYTES_A_TOKEN} to a token`,
    },
    { section, what: "the whole demo without pauses", value: ms, unit: "ms", budget: most(60_000) },
  ];
}

export function program(root: string): readonly Row[] {
  const dist = join(root, "dist");
  const files = readdirSync(dist);
  const bytes = files.reduce((sum, name) => sum + statSync(join(dist, name)).size, 0);
  return [
    {
      section: "The program",
      what: "dist/",
      value: bytes / 1024,
      unit: "KiB",
      detail: `${files.length} files`,
    },
  ];
}
