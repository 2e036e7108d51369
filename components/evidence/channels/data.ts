/** The data channel: a command that is judged by the data it gives, never by its exit status alone. */
import type { Runner } from "./index.ts";

export const data: Runner = {
  describes: "a command judged by the data it prints or leaves",
  fault: ({ expect }) =>
    expect.json === undefined &&
    expect.stdout === undefined &&
    Object.keys(expect.produces ?? {}).length === 0
      ? "channel data needs an expectation on json, produces or stdout"
      : null,
};
