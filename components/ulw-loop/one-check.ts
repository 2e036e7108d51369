/** The smallest plan there is: one goal with one check. */

import { Refusal } from "../errors.ts";
import { describeCheck } from "../evidence/channels/words.ts";
import type { Check, Command } from "../evidence/types.ts";
import { vacuous } from "../evidence/vacuity.ts";
import { boundedObjective, oneLine, shorten } from "../words/plain-text.ts";
import { CRITERION_CLASSES, type CriterionClass, type PlanDraft } from "./draft.ts";

export interface OneCheck {
  readonly title: string;
  /** Absent: the title. */
  readonly objective?: string;
  readonly check: Check;
  /** Commands of the quality gate. */
  readonly verify?: readonly Command[];
  readonly share?: readonly string[];
  readonly setup?: readonly Command[];
}

const ASKED = "one check was asked for";

/**
 * `proofgate goal "Fix the importer" --check "npm test"` as a plan.
 * @throws Refusal `check_vacuous`, `brief_empty`
 */
export function planFromOneCheck({
  title,
  objective,
  check,
  verify = [],
  share = [],
  setup = [],
}: OneCheck): PlanDraft {
  const line = oneLine(title);
  if (line === "")
    throw new Refusal("brief_empty", "The goal has no title.", {
      expected: "what has to be done, in a few words",
      next: ['proofgate goal "Fix the importer" --check "npm test"'],
    });
  const reason = vacuous(check);
  if (reason !== null)
    throw new Refusal("check_vacuous", "The check cannot fail, so it proves nothing.", {
      expected: "a command that fails while the goal is not reached",
      found: reason,
      next: ['proofgate goal "…" --check "npm test"'],
    });
  const shown = shorten(line);
  const text = boundedObjective(objective ?? title);
  const rest = CRITERION_CLASSES.filter((one) => one !== "happy");
  return {
    title: shown,
    deliverable: "",
    constraints: [],
    brief: text,
    verify,
    share,
    setup,
    goals: [
      {
        title: shown,
        objective: text,
        criteria: [
          {
            classes: ["happy"],
            scenario:
              check.scenario === undefined
                ? `\`${describeCheck(check)}\` meets its expectations: exit ${check.expect.exit}${seen(check)}.`
                : `${describeCheck(check)}: every expectation of the check is met.`,
            channel: check.channel,
            adversarial: [],
            stop: null,
            expectedEvidence: null,
            check,
          },
        ],
        without: Object.fromEntries(rest.map((one): [CriterionClass, string] => [one, ASKED])),
      },
    ],
  };
}

/** The further expectations in words. */
function seen({ expect }: Check): string {
  const parts: string[] = [];
  if (expect.stdout !== undefined) parts.push(`output has ${expect.stdout}`);
  if (expect.stderr !== undefined) parts.push(`error output has ${expect.stderr}`);
  for (const path of Object.keys(expect.json ?? {}))
    parts.push(`JSON at ${path} is ${JSON.stringify(expect.json?.[path])}`);
  for (const path of Object.keys(expect.produces ?? {})) parts.push(`leaves ${path}`);
  return parts.map((part) => `, ${part}`).join("");
}
