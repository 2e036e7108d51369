/** What the doctor says of one thing. */

export interface Finding {
  /** What was looked at, in a few words. */
  readonly what: string;
  /** `note`: worth knowing, nothing to mend. */
  readonly status: "ok" | "bad" | "note";
  readonly found: string;
  /** The command or act that mends it; every `bad` finding has one. */
  readonly mend?: string;
}

export const ok = (what: string, found: string): Finding => ({ what, status: "ok", found });
export const note = (what: string, found: string): Finding => ({ what, status: "note", found });
export const bad = (what: string, found: string, mend: string): Finding => ({
  what,
  status: "bad",
  found,
  mend,
});

export const isHealthy = (findings: readonly Finding[]): boolean =>
  findings.every(({ status }) => status !== "bad");
