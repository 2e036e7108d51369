/**
 * The gate before a host's goal is called complete: (what was asked, what is known) → allow or deny. Pure; whoever calls it
 * gathers the facts, and denies when that fails.
 */

/** A plan that has a say: the session works on it, or the host's goal is its. */
export interface JudgedPlan {
  readonly title: string;
  readonly total: number;
  readonly proven: number;
  /** Everything that is missing; `where` is a criterion, a goal, or a part of the plan. */
  readonly problems: readonly { readonly where: string; readonly message: string }[];
  /** The one command that deals with most of it. */
  readonly next: string;
}

/** A command that the repository asks for before any goal is complete (`gates:` in .proofgate.yaml). */
export interface JudgedCommand {
  readonly command: string;
  /** Why it does not hold; null when it passed. */
  readonly failed: string | null;
}

export interface GateFacts {
  /** Argument of the host's update_goal. */
  readonly status: string;
  readonly plans: readonly JudgedPlan[];
  readonly commands: readonly JudgedCommand[];
}

export type GateDecision = { readonly kind: "allow" } | { readonly kind: "deny"; readonly message: string };

/** Characters that a refusal may have (design: budgets); a model reads it whole. */
const MOST = 600;

/** `blocked` and `paused` always pass: the host continues an active goal for ever, and a gate must not trap it. */
export function gate({ status, plans, commands }: GateFacts): GateDecision {
  if (status !== "complete") return { kind: "allow" };
  const open = plans.filter((plan) => plan.problems.length > 0);
  const failed = commands.filter((one) => one.failed !== null);
  if (open.length + failed.length === 0) return { kind: "allow" };
  const [first] = open;
  const head =
    first === undefined
      ? `Not complete: ${failed.length} of ${commands.length} repository gates failed.`
      : first.proven === first.total
        ? `Not complete, although all ${first.total} are proven.`
        : `Not complete: ${first.proven} of ${first.total} proven.`;
  const defects = [
    ...open.flatMap((plan) => plan.problems.map((p) => `- ${p.where} ${p.message}`)),
    ...failed.map((one) => `- gate \`${one.command}\`: ${one.failed}`),
  ];
  const next = first?.next ?? "mend it";
  const end = [`Run: ${next}, then update_goal again.`, "Cannot be done? update_goal blocked, and say why."];
  return { kind: "deny", message: fitted(head, defects, end, open.length > 0 ? "proofgate check" : null) };
}

/** What cannot be looked at is not proven. */
export function closed(why: string, next: string): GateDecision {
  const end = [`Run: ${next}, then update_goal again.`, "Cannot be done? update_goal blocked, and say why."];
  return {
    kind: "deny",
    message: fitted("Not complete: the gate could not judge it.", [`- ${why}`], end, null),
  };
}

/** Every defect where there is room for it; lines are cut before defects are left out, and what is left out is counted. */
function fitted(
  head: string,
  defects: readonly string[],
  end: readonly string[],
  rest: string | null,
): string {
  const room = MOST - [head, ...end].join("\n").length - 2;
  for (const width of [160, 110, 80, 60]) {
    const lines = defects.map((line) => cut(line, width));
    if (lines.join("\n").length <= room) return [head, ...lines, ...end].join("\n");
  }
  const lines: string[] = [];
  for (const defect of defects) {
    const line = cut(defect, 60);
    const more = `- and ${defects.length - lines.length} more${rest === null ? "" : `: ${rest}`}`;
    if ([...lines, line, more].join("\n").length > room) break;
    lines.push(line);
  }
  const left = defects.length - lines.length;
  return [head, ...lines, `- and ${left} more${rest === null ? "" : `: ${rest}`}`, ...end].join("\n");
}

function cut(line: string, width: number): string {
  const plain = line.replace(/\p{Cc}+/gu, " ");
  return plain.length <= width ? plain : `${plain.slice(0, width - 1)}…`;
}
