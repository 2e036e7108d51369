/** An honest agent: does everything right, notes every refusal, and ends with `check`. */

import type { HonestRun } from "../helpers/count.ts";
import type { Said, World } from "../helpers/world.ts";

interface Surroundings {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** Arguments that every command of this agent ends with, for instance `--session-id a`. */
  readonly always?: readonly string[];
  /** Text instead of JSON, to count what a model would read. */
  readonly text?: boolean;
}

type Outcome = "pass" | "fail" | "flaky" | "inconclusive" | "not_run" | "moved" | "blocked";
type BeforeWord = "red" | "pinned" | "hollowed" | "own_script" | "not_run" | "no_base" | "unclear";

export class Agent {
  refusals = 0;
  commands = 0;
  /** Bytes of text that the commands printed, both streams. */
  bytes = 0;
  /** The step that the last answer named. */
  next = "";

  constructor(
    readonly world: World,
    readonly surroundings: Surroundings = {},
  ) {}

  /** Another shell of the same agent: its refusals count here. */
  with(surroundings: Surroundings): Agent {
    const other = new Agent(this.world, { ...this.surroundings, ...surroundings });
    other.count = (args, said) => this.count(args, said);
    return other;
  }

  async run(args: readonly string[], stdin?: string): Promise<Said> {
    const { env = {}, cwd, always = [], text = false } = this.surroundings;
    const said = await this.world.run([...args, ...always], {
      env,
      json: !text,
      ...(cwd === undefined ? {} : { cwd }),
      ...(stdin === undefined ? {} : { stdin }),
    });
    this.commands++;
    this.next = said.json.next?.command ?? /^next: (.*)$/m.exec(said.out)?.[1] ?? this.next;
    this.bytes += Buffer.byteLength(said.out) + Buffer.byteLength(said.err);
    return said;
  }

  /** A command that has to succeed; when it does not, that is a refusal of honest work. */
  async does(...args: string[]): Promise<Said> {
    const said = await this.run(args);
    if (said.exit !== 0) this.count(args, said);
    return said;
  }

  /** One refusal, with what was said, for whoever reads the failing test. */
  count(args: readonly string[], said: Said): void {
    this.refusals++;
    tell(`refused: proofgate ${args.join(" ")}\n  exit ${said.exit} ${said.out.trim()} ${said.err.trim()}`);
  }

  async creates(...extra: string[]): Promise<Said> {
    return await this.does("ulw-loop", "create-goals", "--plan", PLAN, ...extra);
  }

  async takes(...extra: string[]): Promise<Said> {
    const said = await this.does("ulw-loop", "complete-goals", ...extra);
    const objective = said.json.handoff?.create_goal?.objective;
    if (objective !== undefined) await this.world.host?.create(objective);
    return said;
  }

  /**
   * Proves, and every result has to be a pass.
   * @param before what the base tree has to have said of each, in the order of the results; one word stands for all
   */
  async proves(before: BeforeWord | readonly BeforeWord[] | null, ...args: string[]): Promise<Said> {
    const said = await this.does("prove", ...args);
    if (before === null) return said;
    const seen: string[] = (said.json.results ?? []).map((r: { before?: string }) => r.before ?? "none");
    const wanted = typeof before === "string" ? seen.map(() => before) : [...before];
    if (seen.length === 0 || seen.join() !== wanted.join()) {
      this.refusals++;
      tell(`before: wanted ${[before].flat().join()}, got ${seen.join() || "no results"}\n  ${said.out}`);
    }
    return said;
  }

  /** A prove that is right to end otherwise than in a pass, for instance while the work is not done. */
  async sees(outcome: Outcome, ...args: string[]): Promise<Said> {
    const said = await this.run(["prove", ...args]);
    const seen: string[] = (said.json.results ?? []).map((r: { outcome: string }) => r.outcome);
    if (!seen.includes(outcome)) {
      this.refusals++;
      tell(`outcome: wanted ${outcome}, got ${seen.join() || "no results"}\n  ${said.out}${said.err}`);
    }
    return said;
  }

  async gates(): Promise<Said> {
    return await this.does(
      "ulw-loop",
      "record-quality-gate",
      "--recommendation",
      "APPROVE",
      "--architect-status",
      "CLEAR",
      "--review",
      "Read the whole diff and its tests; nothing to object to.",
      "--cleaner",
      "Looked at the changed files; nothing dead was left.",
    );
  }

  async closes(...extra: string[]): Promise<Said> {
    return await this.does(
      "checkpoint",
      "--status",
      "complete",
      "--evidence",
      "all checks pass, see the receipts",
      ...extra,
    );
  }

  async steers(...args: string[]): Promise<Said> {
    return await this.does(
      "steer",
      ...args,
      "--evidence",
      "seen while working on it",
      "--rationale",
      "the plan has to fit what was found",
    );
  }

  /** A draft gets a scenario and a check. */
  async revises(id: string, scenario: string, check: string): Promise<Said> {
    return await this.steers(
      ...["--kind", "revise_criterion", "--criterion-id", id],
      ...["--scenario", scenario, "--check", check],
    );
  }

  /** The user, at the terminal. */
  async asksTheUser(): Promise<void> {
    const said = await this.world.approve();
    if (said.exit !== 0) this.count(["approve"], said);
  }

  /** What went stale meanwhile, where the last answer says so; then gate and last checkpoint. */
  async finishes(...extra: string[]): Promise<HonestRun> {
    if (this.next === "proofgate prove --all") await this.proves(null, "--all");
    await this.gates();
    await this.closes(...extra);
    return await this.ends();
  }

  /** In a real host its own goal is complete as well, through the gate. */
  private async completes(): Promise<boolean> {
    const { host } = this.world;
    if (host === undefined) return true;
    const { json } = await this.world.run(["status", ...(this.surroundings.always ?? [])], {
      ...this.surroundings,
      json: true,
    });
    const refused = await host.complete(json.objective);
    if (refused !== null) tell(`the host refused: ${refused}`);
    return refused === null;
  }

  async ends(): Promise<HonestRun> {
    const said = await this.run(["check"]);
    const complete = said.exit === 0 && (this.surroundings.text === true || said.json.valid === true);
    if (!complete) tell(`check: exit ${said.exit} ${said.out.trim()} ${said.err.trim()}`);
    return { complete: complete && (await this.completes()), refusals: this.refusals };
  }
}

const tell = (what: string): void => console.error(what.slice(0, 2500));

type Class = "happy" | "edge" | "regression" | "adversarial";

interface Criterion {
  readonly class: Class | readonly Class[];
  readonly scenario: string;
  readonly channel?: string;
  readonly check: string | Readonly<Record<string, unknown>>;
}

interface Goal {
  readonly title: string;
  readonly criteria: readonly Criterion[];
}

const criterion =
  (one: Class) =>
  (scenario: string, check: Criterion["check"]): Criterion => ({ class: one, scenario, check });

export const happy = criterion("happy");
export const regression = criterion("regression");
export const edge = criterion("edge");
export const adversarial = criterion("adversarial");

export const PLAN = ".proofgate/plan.yaml";

/** A plan file. JSON is YAML, and classes that no criterion covers get a reason. */
export function planOf(goals: readonly Goal[], rest: Readonly<Record<string, unknown>> = {}): string {
  const all: readonly Class[] = ["happy", "edge", "regression", "adversarial"];
  const written = goals.map(({ title, criteria }) => {
    const covered = new Set(criteria.flatMap((c) => c.class));
    const missing = all.filter((one) => !covered.has(one));
    return {
      title,
      criteria: criteria.map((c) => ({
        ...c,
        check: typeof c.check === "string" ? { run: c.check } : c.check,
      })),
      ...(missing.length === 0
        ? {}
        : { without: Object.fromEntries(missing.map((one) => [one, "the other criteria reach it"])) }),
    };
  });
  return JSON.stringify({ ...rest, goals: written }, null, 2);
}

/** A test file for one function of `src/texts.js`. */
export function test(name: string, input: string, output: string, from = "../src/texts.js"): string {
  return `import assert from "node:assert/strict";
import { test } from "node:test";
import { ${name} } from "${from}";

test("${name}", () => {
  assert.equal(${name}(${input}), ${output});
});
`;
}

/** A small library with a passing suite. */
export const LIBRARY = {
  "package.json": `${JSON.stringify({ name: "texts", version: "1.0.0", type: "module", scripts: { test: "node --test" } }, null, 2)}\n`,
  ".gitignore": "node_modules/\n",
  "README.md": "# texts\n\nSmall functions for texts.\n",
  "src/texts.js": "export const upper = (text) => text.toUpperCase();\n",
  "test/upper.test.js": test("upper", '"a"', '"A"'),
};

/** Adds a function to `src/texts.js`, the usual work. */
export function implement(world: World, name: string, body: string): void {
  world.write("src/texts.js", `${world.read("src/texts.js")}export const ${name} = ${body};\n`);
}

export const SLUG = '(text) => text.trim().toLowerCase().replaceAll(" ", "-")';
export const TITLE = "(text) => text.replace(/\\b[a-z]/g, (c) => c.toUpperCase())";
export const slugTest = (): string => test("slug", '"Big Cat"', '"big-cat"');
export const slugCriterion = happy('slug("Big Cat") returns "big-cat".', "node --test test/slug.test.js");
export const titleCriterion = happy('title("big cat") returns "Big Cat".', "node --test test/title.test.js");
export const npmTest = regression("npm test exits 0: what worked before still works.", "npm test");

/** The work that `slugCriterion` asks for, test included. */
export function doSlug(world: World): void {
  implement(world, "slug", SLUG);
  world.write("test/slug.test.js", slugTest());
}

export function doTitle(world: World): void {
  implement(world, "title", TITLE);
  world.write("test/title.test.js", test("title", '"big cat"', '"Big Cat"'));
}
