/** State files are written by commands, never by an editor: (paths, where) → allow, or deny with the command to use instead. */

import { isAbsolute } from "./patch.ts";
import { line } from "./text.ts";

export { patchTargets } from "./patch.ts";

export interface GuardFacts {
  /**
   * Roots of the repository and of its other worktrees, absolute. Where a path leads through links, the caller passes the
   * target's real path beside the path as written.
   */
  readonly roots: readonly string[];
  /** Relative targets start here; absolute. */
  readonly cwd: string;
  /** The file system takes `.OMO` for `.omo` (macOS, Windows). */
  readonly caseInsensitive: boolean;
  /** Folder of the witness store, absolute; null where it is not known. */
  readonly store: string | null;
}

export type GuardDecision = { readonly kind: "allow" } | { readonly kind: "deny"; readonly message: string };

/** Characters that a refusal may have (design: budgets). */
const MOST = 600;

interface Kind {
  readonly is: RegExp;
  readonly what: string;
  readonly next: string;
}

/** What lies below `.omo/ulw-loop/`, or below the folder of one parallel session in it. The first that fits. */
const ULW_LOOP: readonly Kind[] = [
  {
    is: /^(?:[^/]+\/)?goals\.json$/i,
    what: "the plan",
    next: 'proofgate ulw-loop steer --kind … --evidence "…" --rationale "…"',
  },
  {
    is: /^(?:[^/]+\/)?ledger\.jsonl$/i,
    what: "the audit trail",
    next: 'proofgate ulw-loop steer --kind annotate_ledger --evidence "…" --rationale "…"',
  },
  {
    is: /^(?:[^/]+\/)?brief\.md$/i,
    what: "the user's brief",
    next: 'proofgate ulw-loop steer --kind revise_pending_wording --goal-id … --objective "…" --evidence "…" --rationale "…"',
  },
  {
    is: /^(?:[^/]+\/)?evidence(?:\/|$)/i,
    what: "captured evidence",
    next: "proofgate prove  (browser and computer: let the driver write the file, then proofgate ulw-loop record-evidence)",
  },
  { is: /(?:)/, what: "the tool's own state", next: "proofgate ulw-loop repair  (if it is damaged)" },
];

/** What lies below `.omx/goals/performance/<slug>/`. */
const PERFORMANCE: readonly Kind[] = [
  {
    is: /\/state\.json$/i,
    what: "the workflow's state",
    next: 'proofgate performance-goal checkpoint --status … --evidence "…"',
  },
  {
    is: /\/ledger\.jsonl$/i,
    what: "the audit trail",
    next: 'proofgate performance-goal checkpoint --status … --evidence "…"',
  },
  {
    is: /\/evaluator\.md$/i,
    what: "the evaluator's contract",
    next: "proofgate performance-goal status  (a new contract is a new create, which the user approves)",
  },
  { is: /(?:)/, what: "the tool's own state", next: "proofgate performance-goal status" },
];

const STORE: Kind = {
  is: /(?:)/,
  what: "the witness store",
  next: "proofgate ulw-loop verify",
};

const FOLDERS: readonly { readonly path: string; readonly kinds: readonly Kind[]; readonly free: RegExp }[] =
  [
    // Notes for when no command could be found: nothing reads them as state.
    {
      path: ".omo/ulw-loop",
      kinds: ULW_LOOP,
      free: /^(?:(?!evidence\/|trees\/|lock\/)[^/]+\/)?bootstrap-notepad\.md$/,
    },
    { path: ".omx/goals/performance", kinds: PERFORMANCE, free: /(?!)/ },
  ];

/** @param targets paths of an edit, as the host's tool was given them: absolute, or relative to `facts.cwd` */
export function guard(targets: readonly string[], facts: GuardFacts): GuardDecision {
  const refused = targets.flatMap((target) => {
    const kind = kindOf(target, facts);
    return kind === null ? [] : [{ target, kind }];
  });
  const [first] = refused;
  if (first === undefined) return { kind: "allow" };
  const more = refused.length > 1 ? ` and ${refused.length - 1} more` : "";
  const message = [
    `${line(first.target, 120)} is ${first.kind.what}: only the tool writes it.`,
    "Expected: state changes through a command.",
    `Found: an edit of ${line(first.target, 120)}${more}.`,
    `Next: ${first.kind.next}`,
  ].join("\n");
  return { kind: "deny", message: message.slice(0, MOST) };
}

function kindOf(target: string, facts: GuardFacts): Kind | null {
  const path = spelled(isAbsolute(target) ? target : `${facts.cwd}/${target}`, facts.caseInsensitive);
  if (facts.store !== null && below(path, spelled(facts.store, facts.caseInsensitive)) !== null) return STORE;
  for (const root of facts.roots)
    for (const folder of FOLDERS) {
      const rest = below(path, spelled(`${root}/${folder.path}`, facts.caseInsensitive));
      if (rest === null || folder.free.test(rest)) continue;
      return folder.kinds.find((kind) => kind.is.test(rest)) ?? null;
    }
  return null;
}

/** What is left of `path` behind `folder`; empty for the folder itself, null when it is elsewhere. */
function below(path: string, folder: string): string | null {
  if (path === folder) return "";
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : null;
}

/**
 * One spelling for each place: slashes, `.`, `..` and doubled slashes resolved. On a file system that folds case, also what
 * such ones take for the same name: ignorable characters (HFS+), trailing dots and spaces, streams (NTFS).
 */
function spelled(path: string, caseInsensitive: boolean): string {
  const parts: string[] = [];
  for (const [index, raw] of path.split(/[/\\]+/).entries()) {
    const drive = index === 0 && /^[A-Za-z]:$/.test(raw);
    const dots = raw === "." || raw === "..";
    const part = drive ? raw.toLowerCase() : caseInsensitive && !dots ? folded(raw) : raw;
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}

const folded = (part: string): string =>
  part
    .normalize("NFC")
    .replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g, "")
    .replace(/:.*$/s, "")
    .replace(/[. ]+$/, "")
    .toUpperCase()
    .toLowerCase();
