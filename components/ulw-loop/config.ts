/** `.proofgate.yaml`: what a repository asks for, and the part of it that a plan copies into its ledger. */

import { type Problem, Refusal } from "../errors.ts";
import type { Command } from "../evidence/types.ts";
import { closest } from "./suggest.ts";

const REVIEWS = ["self", "independent"] as const;
type ReviewPolicy = (typeof REVIEWS)[number];

/** From weakest to strongest. */
const LEVELS = ["attested", "captured", "reproduced"] as const;
type Level = (typeof LEVELS)[number];

interface Caps {
  /** Failed checkpoints a goal may have before only the user can grant more; 1 to 5. */
  readonly cycles: number;
  /** Identical failures of one criterion in a row; 1 to 3. */
  readonly failures: number;
}

/** What a plan copies into its ledger when it begins. Later edits of the file can only raise it. */
export interface Policy {
  readonly review: ReviewPolicy;
  /** Level that a passed criterion must have reached at the end. */
  readonly minimum: Level;
  readonly caps: Caps;
  /** Commands that must pass before any host goal of this repository is complete. */
  readonly gates: readonly Command[];
}

/** How long the loop keeps an agent at work without a word from the user. Null: no bound of this kind. */
interface Budget {
  readonly turns: number | null;
  readonly tokens: number | null;
  readonly minutes: number | null;
}

export interface Config extends Policy {
  /** State files are tracked by Git. */
  readonly track: boolean;
  /** Runs on done, blocked and let go. */
  readonly notify: Command | null;
  readonly budget: Budget;
}

const MAX_CAPS: Caps = { cycles: 5, failures: 3 };

export const DEFAULT_POLICY: Policy = { review: "self", minimum: "attested", caps: MAX_CAPS, gates: [] };

export const DEFAULT_CONFIG: Config = {
  ...DEFAULT_POLICY,
  track: false,
  notify: null,
  // Bounded by default: a night's work, and not the next day's as well.
  budget: { turns: 200, tokens: null, minutes: 720 },
};

export const policyOf = ({ review, minimum, caps, gates }: Policy): Policy => ({
  review,
  minimum,
  caps,
  gates,
});

const KEYS = ["track", "gates", "review", "minimum", "caps", "notify", "budget"] as const;

/**
 * Reads `.proofgate.yaml`. YAML is loaded here and not with the module: most repositories have no such file.
 * @throws Refusal `plan_invalid` with every problem at once
 */
export async function parseConfig(text: string): Promise<Config> {
  const [{ readYaml }, { vacuousCommand }] = await Promise.all([
    import("./yaml-file.ts"),
    import("./vacuous-command.ts"),
  ]);
  const problems: Problem[] = [];
  const file = readYaml(text, problems);
  const add = (where: string, message: string, code = "plan_invalid"): void => {
    problems.push({ where, code, message: `${message}${file.lineOf(where)}` });
  };
  const root = file.value === null ? {} : file.value;
  if (problems.length === 0 && !isMap(root)) add("", "must be a list of keys and values");
  const map = isMap(root) ? root : {};
  const known = (value: Record<string, unknown>, keys: readonly string[], path: string): void => {
    for (const key of Object.keys(value)) {
      if (keys.includes(key)) continue;
      const near = closest(key, keys);
      add(
        path + key,
        `unknown key "${key}"${near === null ? `; known are ${keys.join(", ")}` : `; did you mean "${near}"?`}`,
      );
    }
  };
  const oneOf = <T extends string>(key: string, values: readonly T[], fallback: T): T => {
    const value = map[key];
    if (value === undefined) return fallback;
    const found = values.find((one) => one === value);
    if (found === undefined) add(key, `must be ${values.join(" or ")}, not ${JSON.stringify(value)}`);
    return found ?? fallback;
  };
  const integer = (
    at: string,
    value: unknown,
    fallback: number | null,
    low: number,
    high: number,
  ): number | null => {
    if (value === undefined) return fallback;
    if (typeof value === "number" && Number.isInteger(value) && value >= low && value <= high) return value;
    add(at, `must be a whole number from ${low} to ${high}, not ${JSON.stringify(value)}`);
    return fallback;
  };
  const section = (key: string, keys: readonly string[]): Record<string, unknown> => {
    const value = map[key];
    if (value === undefined || value === null) return {};
    if (!isMap(value)) {
      add(key, `must have keys ${keys.join(", ")}`);
      return {};
    }
    known(value, keys, `${key}.`);
    return value;
  };
  const command = (at: string, value: unknown): Command | null => {
    if (typeof value === "string" && value.trim() !== "") return value;
    if (Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === "string"))
      return value;
    add(at, "must be a shell line or a list of words");
    return null;
  };
  known(map, KEYS, "");
  const track = map.track ?? false;
  if (typeof track !== "boolean") add("track", `must be true or false, not ${JSON.stringify(track)}`);
  const gates: Command[] = [];
  if (map.gates !== undefined && map.gates !== null && !Array.isArray(map.gates))
    add("gates", "must be a list of commands");
  for (const [index, value] of (Array.isArray(map.gates) ? map.gates : []).entries()) {
    const gate = command(`gates[${index}]`, value);
    const reason = gate === null ? null : vacuousCommand(gate);
    if (reason !== null) add(`gates[${index}]`, reason, "check_vacuous");
    if (gate !== null) gates.push(gate);
  }
  const caps = section("caps", ["cycles", "failures"]);
  const budget = section("budget", ["turns", "tokens", "minutes"]);
  const whole = (key: "turns" | "tokens" | "minutes"): number | null =>
    integer(`budget.${key}`, budget[key], DEFAULT_CONFIG.budget[key], 1, 1_000_000_000);
  const config: Config = {
    track: track === true,
    gates,
    review: oneOf("review", REVIEWS, DEFAULT_POLICY.review),
    minimum: oneOf("minimum", LEVELS, DEFAULT_POLICY.minimum),
    caps: {
      cycles: integer("caps.cycles", caps.cycles, MAX_CAPS.cycles, 1, MAX_CAPS.cycles) ?? MAX_CAPS.cycles,
      failures:
        integer("caps.failures", caps.failures, MAX_CAPS.failures, 1, MAX_CAPS.failures) ?? MAX_CAPS.failures,
    },
    notify: map.notify === undefined || map.notify === null ? null : command("notify", map.notify),
    budget: { turns: whole("turns"), tokens: whole("tokens"), minutes: whole("minutes") },
  };
  if (problems.length > 0)
    throw new Refusal("plan_invalid", ".proofgate.yaml is not valid.", {
      expected: `keys ${KEYS.join(", ")}`,
      found: problems.length === 1 ? "one problem" : `${problems.length} problems`,
      next: ["mend .proofgate.yaml, then run the same command again"],
      problems,
    });
  return config;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The policy that holds: what the plan began with, raised by the file as it is now.
 * @returns `lowered`: what the file would weaken, a sentence each. It stays as the ledger has it until the user agrees.
 */
export function raisePolicy(ledger: Policy, file: Policy): { effective: Policy; lowered: string[] } {
  const lowered: string[] = [];
  const stronger = <T extends string>(name: string, order: readonly T[], had: T, asked: T): T => {
    if (order.indexOf(asked) >= order.indexOf(had)) return asked;
    lowered.push(`${name}: ${had} lowered to ${asked}`);
    return had;
  };
  const fewer = (name: keyof Caps): number => {
    if (file.caps[name] > ledger.caps[name])
      lowered.push(`caps.${name}: ${ledger.caps[name]} raised to ${file.caps[name]}`);
    return Math.min(file.caps[name], ledger.caps[name]);
  };
  const same = (one: Command) => (other: Command) => JSON.stringify(one) === JSON.stringify(other);
  for (const gate of ledger.gates)
    if (!file.gates.some(same(gate)))
      lowered.push(`gates: ${typeof gate === "string" ? gate : gate.join(" ")} removed`);
  const effective: Policy = {
    review: stronger("review", REVIEWS, ledger.review, file.review),
    minimum: stronger("minimum", LEVELS, ledger.minimum, file.minimum),
    caps: { cycles: fewer("cycles"), failures: fewer("failures") },
    gates: [...ledger.gates, ...file.gates.filter((gate) => !ledger.gates.some(same(gate)))],
  };
  return { effective, lowered };
}
