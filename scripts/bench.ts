/**
 * `npm run bench`: the budgets of the design, measured on this machine. Times are ratios to an empty Node start taken in
 * the same minute; docs/bench.md says how to read them. Exit 0 whatever comes out: a bench is no test.
 */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { commandLine } from "./bench/command-line.ts";
import { engine } from "./bench/engine.ts";
import { evaluation } from "./bench/evaluate.ts";
import { hooks } from "./bench/hooks.ts";
import { openCode } from "./bench/opencode.ts";
import { honestWay, program as programSize } from "./bench/sizes.ts";
import { makeBenchWorld } from "./bench/state.ts";
import { type Row, table, within } from "./bench/table.ts";
import { ensureBuilt } from "./built.ts";

const root = join(import.meta.dir, "..");
const json = process.argv.includes("--json");
const progress = (what: string): void => {
  if (process.stderr.isTTY === true) console.error(`measuring ${what} …`);
};

const program = await ensureBuilt(root);
const world = makeBenchWorld();
const rows: Row[] = [];
try {
  progress("the command line");
  rows.push(...(await commandLine(world, program)));
  progress("hooks");
  rows.push(...(await hooks(world, join(root, "dist", "codex", "plugins", "proofgate"))));
  progress("OpenCode");
  rows.push(...(await openCode(world, join(root, "dist", "opencode"))));
  progress("fingerprint and journal");
  rows.push(...(await engine(world, root)));
  progress("one evaluation, half a minute");
  rows.push(...(await evaluation(world, program)));
  progress("the honest way");
  rows.push(...(await honestWay(root)), ...programSize(root));
} finally {
  rmSync(world.base, { recursive: true, force: true });
}
if (json) console.log(JSON.stringify({ rows: rows.map((row) => ({ ...row, ok: within(row) })) }));
else console.log(table(rows));
