/** What a prompt orders (an intent, a steering directive, an approval), and what is said to the agent at its start. */

import type { Intent } from "./intent.ts";
import { assembled, line, provenWords } from "./text.ts";
import { MOST_BYTES, type PlanFacts } from "./types.ts";

export { type Intent, intentOf } from "./intent.ts";

export type SteerDirective =
  | { readonly kind: "none" }
  /** `json` for `steerArguments`. */
  | { readonly kind: "directive"; readonly json: unknown }
  | { readonly kind: "malformed"; readonly why: string };

const STEER = /^ {0,3}(?:OMO_ULW_LOOP_STEER|omo\.ulw-loop\.steer|omo ulw-loop steer):/;
/** UTF-16 units of a directive's JSON; it carries texts and ids, not files. */
const MOST_JSON = 256 * 1024;

/**
 * The directive that a prompt begins with. Only a real user's prompt may come here: the caller leaves out subagents' and
 * synthetic ones. What opens the first line with a quote, code or anything else is no directive.
 */
export function steerDirective(prompt: string): SteerDirective {
  const mark = STEER.exec(prompt.replace(/^\ufeff/, ""))?.[0];
  if (mark === undefined) return { kind: "none" };
  const rest = prompt
    .replace(/^\ufeff/, "")
    .slice(mark.length)
    .trimStart();
  if (!rest.startsWith("{"))
    return { kind: "malformed", why: `expected one JSON object behind ${mark.trim()}, found ${found(rest)}` };
  const end = objectEnd(rest.slice(0, MOST_JSON));
  if (end === null)
    return {
      kind: "malformed",
      why:
        rest.length > MOST_JSON
          ? `expected at most ${MOST_JSON} characters of JSON, found more`
          : "expected a JSON object, found one that is never closed",
    };
  try {
    const json: unknown = JSON.parse(rest.slice(0, end));
    return { kind: "directive", json };
  } catch (error) {
    const why = error instanceof Error ? error.message : "it does not parse";
    return { kind: "malformed", why: line(`expected JSON, found text that is none: ${why}`, 200) };
  }
}

const found = (rest: string): string => (rest === "" ? "nothing" : JSON.stringify(line(rest, 40)));

/** Where the object that `text` begins with ends; null when it does not. Braces inside strings do not count. */
function objectEnd(text: string): number | null {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text.charAt(at);
    if (inString) {
      if (sign === "\\") at++;
      else if (sign === '"') inString = false;
    } else if (sign === '"') inString = true;
    else if (sign === "{") depth++;
    else if (sign === "}" && --depth === 0) return at + 1;
  }
  return null;
}

export type PromptApproval =
  | { readonly kind: "none" }
  /**
   * `all`: everything that was put before the user and waits for them. A list: these goals (each criterion of theirs),
   * criteria and weakenings, and nothing else; an id that waits for nothing is the caller's to name.
   */
  | { readonly kind: "approve"; readonly what: "all" | readonly string[] }
  | { readonly kind: "malformed"; readonly why: string };

const SUBJECT = /^(?:G\d{1,9}(?:-C\d{1,9})?|W\d{1,9})$/;

/**
 * The user's approval: a first line that is exactly `proofgate approve`, perhaps with ids. A line that goes on in prose is no
 * approval; one that goes on in something like ids is refused, so that nobody believes to have approved.
 */
export function approval(prompt: string): PromptApproval {
  const first = prompt.replace(/^\ufeff/, "").split(/\r\n|\r|\n/, 1)[0] ?? "";
  const rest = /^ {0,3}proofgate approve(?:[ \t]+(.*))?$/.exec(first.trimEnd());
  if (rest === null) return { kind: "none" };
  const words = (rest[1] ?? "").split(/[\s,]+/).filter((word) => word !== "");
  if (words.length === 0) return { kind: "approve", what: "all" };
  const ids = words.map((word) => word.toUpperCase());
  if (ids.length === 1 && ids[0] === "ALL") return { kind: "approve", what: "all" };
  if (ids.every((id) => SUBJECT.test(id))) return { kind: "approve", what: [...new Set(ids)] };
  if (!ids.every((id) => id === "ALL" || /^[GCW][-\dGCW]*\d/.test(id))) return { kind: "none" };
  const wrong = ids.find((id) => !SUBJECT.test(id)) ?? "";
  return {
    kind: "malformed",
    why: `expected ids like G001, G002-C003, W001, or all by itself; found ${line(wrong, 40)}`,
  };
}

export interface StartFacts {
  /** Null: none, or one that another live session works on. */
  readonly plan: PlanFacts | null;
  readonly occasion: "start" | "resume" | "compaction";
  /** `digest` of the text that this thread was given last; null when there was none. */
  readonly lastGiven: string | null;
}

/**
 * Where the plan stands and the one next command, for a session that begins, resumes or was compacted.
 * @returns `text` empty when there is nothing to say; `digest` to be kept for the next time
 */
export function startText({ plan, occasion, lastGiven }: StartFacts): {
  readonly text: string;
  readonly digest: string | null;
} {
  const text = plan === null ? "" : planText(plan, occasion);
  if (text === "") return { text, digest: lastGiven };
  const digest = digestOf(text);
  // Compaction took the earlier text out of the conversation: what was given before it is no longer known.
  return { text: digest === lastGiven && occasion !== "compaction" ? "" : text, digest };
}

function planText(plan: PlanFacts, occasion: StartFacts["occasion"]): string {
  const name = `"${line(plan.title, 90)}"`;
  const next = [`next: ${line(plan.next.command, 220)}`];
  switch (plan.state) {
    case "cancelled":
      // It does not resume by itself, so nothing reminds of it.
      return "";
    case "complete":
    case "stale": {
      // A new session in a repository whose plan is done has other work.
      if (occasion === "start") return "";
      const words =
        plan.state === "complete"
          ? `complete: ${provenWords(plan)}.`
          : `NOT complete any more: ${provenWords(plan)}, the tree changed.`;
      return assembled([`Proofgate: ${name} is ${words}`], [], next, MOST_BYTES);
    }
    case "open": {
      const goal = plan.goal;
      const own =
        goal === null ? [] : [`${goal.id} ${line(goal.title, 70)}: ${goal.proven} of ${goal.total} proven`];
      return assembled(
        [
          `Proofgate: ${name} is open, ${provenWords(plan)}${plan.stuck ? "; no goal can go on without the user" : ""}.`,
          ...own,
        ],
        plan.open.slice(0, 4).map(({ ref, what }) => `- ${line(ref, 40)} ${line(what, 60)}`),
        next,
        MOST_BYTES,
      );
    }
  }
}

/** FNV-1a, twice with different beginnings. It only tells one text from another; nothing is proven with it. */
function digestOf(text: string): string {
  const hash = (start: number): string => {
    let sum = start;
    for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
    return (sum >>> 0).toString(16).padStart(8, "0");
  };
  return hash(0x811c9dc5) + hash(0x01234567);
}

export interface IntentFacts {
  readonly plan: PlanFacts | null;
  /** The performance goal of the repository that is open, with its one next command; null: none. */
  readonly performance: { readonly slug: string; readonly next: string } | null;
  /** How this host names a skill: `$proofgate:` in Codex, empty in OpenCode. */
  readonly skillPrefix: string;
}

const CREATE: Readonly<Record<Intent, string>> = {
  "ulw-loop": "proofgate ulw-loop create-goals --plan .proofgate/plan.yaml",
  "performance-goal":
    'proofgate performance-goal create --objective "…" --evaluator-command "…" --evaluator-contract "…"',
};

/** What a prompt's intent adds to it: which skill, and the first command. */
export function intentText(intent: Intent, facts: IntentFacts): string {
  const skill = `The user asked for ${intent}. Read the skill ${line(facts.skillPrefix, 40)}${intent} and follow it; the tool runs the checks, and you cannot declare the work done.`;
  const open =
    intent === "ulw-loop"
      ? facts.plan?.state === "open"
        ? { name: facts.plan.title, next: facts.plan.next.command }
        : null
      : facts.performance === null
        ? null
        : { name: facts.performance.slug, next: facts.performance.next };
  const lines =
    open === null
      ? [
          intent === "ulw-loop"
            ? "No plan is open. Before any edit: draft .proofgate/plan.yaml with a check for each criterion, show it to the user, then"
            : "No performance goal is open. Before any edit: settle the evaluator and its contract, then",
          `first: ${CREATE[intent]}`,
        ]
      : [
          `"${line(open.name, 90)}" is open: go on with it, unless the user asks for other work.`,
          `first: ${line(open.next, 220)}`,
        ];
  return assembled([skill], [], lines, MOST_BYTES);
}
