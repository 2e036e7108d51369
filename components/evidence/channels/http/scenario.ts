/** Channel http: a server of the plan, and requests to it. */
import type { Check, TextPattern } from "../../types.ts";

/** One request and what its answer has to be. At least one expectation stands in the whole scenario. */
export interface HttpStep {
  readonly method: string;
  /** Path and query, on the server that was started. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Text as it is sent; `@path` is a file of the repository. Null: no body. */
  readonly send: string | null;
  /** Whether redirects are followed, on the same server. */
  readonly follow: boolean;
  /** Milliseconds until the whole answer has to be there. */
  readonly withinMs: number | null;
  readonly expect: {
    /** Any of these; `2xx` stands for a class. */
    readonly status?: readonly (number | string)[];
    /** A pattern for each header; `""`: it is there. */
    readonly header?: Readonly<Record<string, TextPattern>>;
    readonly body?: readonly TextPattern[];
    /** The body as JSON: a value for each dotted path. */
    readonly json?: Readonly<Record<string, unknown>>;
  };
}

export interface HttpScenario {
  /** A path that answers with less than 400, or a text in the server's output; null: its port takes connections. */
  readonly ready: string | null;
  /** Port that the server insists on; null: a free one, in `$PORT`. */
  readonly port: number | null;
  /** Exit status with which the server ends by itself after the last step; null: it has to go on. */
  readonly ends: number | null;
  readonly steps: readonly HttpStep[];
}

/** The form is the one that `form.ts` made. */
export const httpScenario = (check: Check): HttpScenario => check.scenario as unknown as HttpScenario;
