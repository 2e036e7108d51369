/** A reviewer's last line. Pure; whether it was the reviewer who said it is the caller's to know. */

/** The role whose verdict counts. */
export const REVIEWER = "codex-ultrawork-reviewer";

export interface Verdict {
  readonly clean: boolean;
  /** The line itself, bounded. */
  readonly line: string;
}

const LINE = /^VERDICT: (?:(APPROVE CLEAR)|(?:REQUEST_CHANGES|BLOCKED) \S.*)$/;

/** The verdict's own words in what the reviewer was asked: whoever asked may have told it what to answer. */
export const isToldTheVerdict = (task: string): boolean => /\bAPPROVE[\s_-]+CLEAR\b/i.test(task);

/** @returns null when the message does not end with one; a reviewer without a verdict has given none */
export function verdictIn(message: string): Verdict | null {
  const line =
    message
      .trimEnd()
      .split(/\r\n|\r|\n/)
      .at(-1)
      ?.trim() ?? "";
  const match = LINE.exec(line);
  return match === null ? null : { clean: match[1] !== undefined, line: line.slice(0, 300) };
}
