/** What the tests of the command line share: small plans, commands that must work, and what a refusal looks like. */

import { expect } from "bun:test";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, type Stats, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeWorld, type Said, type World } from "../helpers/world.ts";

/** A criterion as a plan file holds it. */
export interface Criterion {
  readonly class: string | readonly string[];
  readonly scenario: string;
  readonly channel?: string;
  readonly check?: Readonly<Record<string, unknown>>;
}

export interface Goal {
  readonly title: string;
  readonly criteria: readonly Criterion[];
}

type More = Readonly<Record<string, unknown>>;

export const PROGRAM = process.env.PROOFGATE_PROGRAM ?? join(import.meta.dir, "../../dist/proofgate.js");
export const FILES: Record<string, string> = {
  "app.sh": `echo "0 rows"\n`,
  "test/rows.sh": `[ "$(sh app.sh)" = "3 rows" ]\n`,
  "test/old.sh": "sh app.sh | grep -q rows\n",
  ".gitignore": "*.log\n",
};
export const DONE = `echo "3 rows"\n`;
export const RED: Criterion = {
  class: ["happy", "edge"],
  scenario: 'Run sh test/rows.sh; app.sh prints "3 rows" and it exits 0.',
  check: { run: "sh test/rows.sh" },
};
export const PIN: Criterion = {
  class: ["regression", "adversarial"],
  scenario: "Run sh test/old.sh; the output still names rows, exit 0.",
  check: { run: "sh test/old.sh" },
};
export const CLAIM: Criterion = {
  class: ["happy", "edge", "regression"],
  scenario: 'Open /admin in a browser; the table lists 3 rows, "no rows" when empty.',
  channel: "browser",
};

export const goal = (title: string, criteria: readonly Criterion[] = [RED, PIN], more: More = {}): Goal => ({
  title,
  criteria,
  ...more,
});
export const planFile = (goals: readonly Goal[], more: More = {}): string =>
  JSON.stringify({ brief: "Ship the importer.", goals, ...more });

/** A world with this plan, whose goals are created. */
export async function planned(
  goals: readonly Goal[] = [goal("CSV import")],
  more: More = {},
): Promise<World> {
  const world = await makeWorld({ ...FILES, ".proofgate/plan.yaml": planFile(goals, more) });
  await good(world, "ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml");
  return world;
}

/** Runs a command that has to succeed, and returns its JSON answer. */
export async function good(world: World, ...args: string[]): Promise<Said["json"]> {
  const said = await world.ask(...args);
  if (said.exit !== 0 || said.json.ok !== true)
    throw new Error(`proofgate ${args.join(" ")}: exit ${said.exit}\n${said.out}${said.err}`);
  return said.json;
}
export const steer = (world: World, ...flags: string[]): Promise<Said> =>
  world.ask(
    "ulw-loop",
    "steer",
    ...flags,
    "--evidence",
    "seen in app.sh",
    "--rationale",
    "needed for the rows",
  );

export function expectRefusal(said: Said, code: string, exit: number): void {
  expect({ code: said.json.error?.code, exit: said.exit, ok: said.json.ok, err: said.err }).toEqual({
    code,
    exit,
    ok: false,
    err: "",
  });
  expect(said.out.trimEnd().split("\n")).toHaveLength(1);
  expect(said.json.error.message).toBeString();
  expect(said.json.error.nextActions.length).toBeGreaterThan(0);
}

export function expectRefusalText(said: Said, code: string, exit: number): void {
  expect({ exit: said.exit, out: said.out }).toEqual({ exit, out: "" });
  expect(said.err).toContain(`[${code}]`);
  expect(said.err).toMatch(/\nnext: /);
  expectNoTrace(said);
  expect(said.err).not.toContain("\u001b");
  expect(said.err.length).toBeLessThan(1600);
}

/** Runs a command with something on its standard input; `mb` is the most memory it held, `ms` how long it took. */
export async function peak(
  world: World,
  args: readonly string[],
  feed = ":",
): Promise<Said & { readonly mb: number; readonly ms: number }> {
  const script = join(world.home, "peak.cjs");
  const answer = join(world.home, "peak.txt");
  writeFileSync(
    script,
    `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(answer)}, String(process.resourceUsage().maxRSS)));\n`,
  );
  const words = ["node", "--require", script, PROGRAM, ...args, "--json"]
    .map((word) => `'${word}'`)
    .join(" ");
  const started = performance.now();
  return {
    ...(await world.sh(`${feed} | ${words}`)),
    mb: Number(readFileSync(answer, "utf8")) / 1024,
    ms: performance.now() - started,
  };
}

export function expectNoTrace(said: Pick<Said, "err">): void {
  expect(said.err).not.toMatch(/\n\s+at .+:\d+:\d+|node:internal|Error: /);
}

/** The digest of every file of a folder, to see that nothing changed; the lock alone is left out. */
export function stateBytes(root: string, folder = ".omo"): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (path: string): void => {
    const full = join(root, path);
    let stat: Stats;
    try {
      stat = lstatSync(full);
    } catch {
      return;
    }
    if (stat.isSymbolicLink()) found[path] = "link";
    else if (stat.isDirectory()) {
      for (const name of readdirSync(full)) if (name !== "lock") visit(join(path, name));
    } else found[path] = createHash("sha256").update(readFileSync(full)).digest("hex");
  };
  visit(folder);
  return found;
}
export const ledgerLines = (world: World, session = ""): string[] =>
  world
    .read(join(".omo/ulw-loop", session, "ledger.jsonl"))
    .trimEnd()
    .split("\n");
export const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
export const REVIEWS = {
  aiSlopCleaner: { status: "passed", evidence: "read the diff of app.sh, nothing to clean" },
  verification: {
    status: "passed",
    commands: ["npm test"],
    evidence: "claimed, the tool does not look at this",
  },
  codeReview: {
    recommendation: "APPROVE",
    architectStatus: "CLEAR",
    evidence: "read app.sh and both test scripts, no findings",
  },
  criteriaCoverage: { totalCriteria: 99, passCount: 99, adversarialClassesCovered: ["malformed_input"] },
};
