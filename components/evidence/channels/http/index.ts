/** The http channel: a server that the tool starts, and the exchange with it: status line, headers, body. */
import { describeCommand } from "../../check.ts";
import type { Runner } from "../index.ts";
import { type HttpStep, httpScenario } from "./scenario.ts";

export const http: Runner = {
  describes: "requests to a server that the tool starts: status, headers, body",
  fault: (check) =>
    httpScenario(check).steps.some(expects)
      ? null
      : "nothing is expected of any answer: give status, header, body or json",
  words(check) {
    const [first, ...more] = httpScenario(check).steps;
    const rest = more.length === 0 ? "" : ` and ${more.length} more`;
    return `${first?.method} ${first?.path}${rest} of ${describeCommand(check)}`;
  },
  files: (check) =>
    httpScenario(check).steps.flatMap(({ send }) => (send?.startsWith("@") ? [send.slice(1)] : [])),
};

const expects = ({ expect }: HttpStep): boolean =>
  Object.values(expect).some((one) => (Array.isArray(one) ? one.length : Object.keys(one).length) > 0);
