/** Channel browser: a page that is opened in the installed Chrome or Chromium, and what a person would do and see there. */
import type { Check, TextPattern } from "../../types.ts";

/** What a person calls a thing on a page: a name, `/regex/`, `css=…`, or a role with a name and a state. */
export type Target = string | Role;

export interface Role {
  readonly role: string;
  readonly name?: TextPattern;
  readonly checked?: boolean;
  readonly disabled?: boolean;
  readonly expanded?: boolean;
  readonly pressed?: boolean;
  readonly selected?: boolean;
  /** Of headings. */
  readonly level?: number;
  /** How many of them are to be seen; absent: one or more. */
  readonly count?: number;
}

export type Act =
  /** A path on the server of the scenario. */
  | { readonly kind: "open"; readonly path: string }
  | { readonly kind: "click" | "check" | "uncheck" | "hover"; readonly target: Target }
  | { readonly kind: "fill"; readonly target: Target; readonly text: string }
  | { readonly kind: "select"; readonly target: Target; readonly option: string }
  /** A key like Enter or Control+A, in a field, or where the page has its focus. */
  | { readonly kind: "press"; readonly key: string; readonly target: Target | null }
  | { readonly kind: "upload"; readonly target: Target; readonly file: string }
  /** A module of the repository, whose default export gets the page. */
  | { readonly kind: "script"; readonly file: string }
  /** Only looks. */
  | { readonly kind: "look" };

/** One thing that is done, and what holds afterwards. */
export interface BrowserStep {
  readonly act: Act;
  /** What is answered when the page asks (alert, confirm, prompt, leaving). */
  readonly dialog: "accept" | "dismiss";
  /** Milliseconds for the act (but never less than a few seconds), and again for what is expected after it. */
  readonly withinMs: number | null;
  readonly expect: {
    /** Texts that a person can see, or things by their role. */
    readonly see?: readonly (TextPattern | Role)[];
    /** Texts that nobody can see. */
    readonly not?: readonly TextPattern[];
    /** The path with its query, or `/regex/`. */
    readonly url?: string;
    readonly title?: TextPattern;
    /** Of the document; `2xx` stands for a class. */
    readonly status?: readonly (number | string)[];
    /** A pattern for what stands in each field. */
    readonly value?: Readonly<Record<string, TextPattern>>;
    /** The text of a dialog that the act brings up. */
    readonly says?: TextPattern;
    /** No violation of WCAG A and AA, but for the rules that are excepted. */
    readonly a11y?: { readonly except: readonly string[] };
  };
}

export interface BrowserScenario {
  readonly ready: string | null;
  readonly port: number | null;
  /** Folder of static files that the tool serves, from the folder to run in; null: the command is the server. */
  readonly serve: string | null;
  readonly steps: readonly BrowserStep[];
  /** Errors that may be there: patterns, or any. Empty: none. */
  readonly console: "any" | readonly TextPattern[];
  /** The plan says that the console is to stay clean, and does not leave it to the default. */
  readonly wantsClean: boolean;
  readonly size: { readonly width: number; readonly height: number };
  readonly video: boolean;
  readonly trace: boolean;
}

/** The form is the one that `form.ts` made. */
export const browserScenario = (check: Check): BrowserScenario =>
  check.scenario as unknown as BrowserScenario;

/** The act as a plan or a log tells it. */
export function actWords(act: Act): string {
  switch (act.kind) {
    case "open":
      return `open ${act.path}`;
    case "fill":
      return `fill ${targetWords(act.target)} with ${act.text}`;
    case "select":
      return `select ${act.option} in ${targetWords(act.target)}`;
    case "press":
      return `press ${act.key}${act.target === null ? "" : ` in ${targetWords(act.target)}`}`;
    case "upload":
      return `upload ${act.file} to ${targetWords(act.target)}`;
    case "script":
      return `script ${act.file}`;
    case "look":
      return "look";
    default:
      return `${act.kind} ${targetWords(act.target)}`;
  }
}

export function targetWords(target: Target): string {
  if (typeof target === "string") return target;
  const { role, name, ...rest } = target;
  const states = Object.entries(rest).map(([key, value]) => `${key} ${String(value)}`);
  return [role, ...(name === undefined ? [] : [JSON.stringify(name)]), ...states].join(" ");
}
