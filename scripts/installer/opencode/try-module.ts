/**
 * Loads the plugin as OpenCode does, in a child process of the host's own runtime, and asks a tool of it something. A module
 * that cannot be loaded is no error to the host: it goes on without a word, and without a gate.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bad, type Finding, ok } from "../finding.ts";
import { type Answer, type Host, lastLine, runProgram } from "../host.ts";
import { apart } from "./host.ts";
import { manifestOf } from "./source.ts";

/** What the plugin has to answer to be a gate: a goal tool to refuse with, and a look at each answer's end. */
const NEEDED = ["tool", "event", "config", "chat.message", "tool.execute.before"];
const TIME_MS = 30_000;

/** The host's client as a stand-in that answers everything with nothing. */
const SCRIPT = `
const client = new Proxy(() => Promise.resolve({}), { get: (_, key, all) => (key === "then" ? undefined : all) });
const [url, folder] = process.argv.slice(-2);
try {
  const { default: plugin } = await import(url);
  if (typeof plugin?.id !== "string" || typeof plugin?.server !== "function") throw new Error("no id or no server");
  const hooks = await plugin.server({ directory: folder, worktree: folder, client });
  const answer = await hooks.tool.get_goal.execute({}, { sessionID: "ses_doctor", callID: "doctor" });
  console.log("PROOFGATE" + JSON.stringify({ hooks: Object.keys(hooks), tools: Object.keys(hooks.tool), answer }));
} catch (error) {
  console.log("PROOFGATE" + JSON.stringify({ error: String(error?.message ?? error).split("\\n")[0] }));
}
process.exit(0);
`;

interface Told {
  readonly error?: string;
  readonly hooks?: readonly string[];
  readonly tools?: readonly string[];
  readonly answer?: unknown;
}

/** @param mend what puts the plugin back */
export async function tryModule(
  host: Host,
  folder: string,
  env: NodeJS.ProcessEnv,
  mend: string,
): Promise<Finding> {
  const what = "OpenCode module";
  const { exports } = manifestOf(folder);
  const entry =
    typeof exports === "object" && exports !== null && "./server" in exports ? exports["./server"] : null;
  if (typeof entry !== "string")
    return bad(what, `${folder} has no package.json with "./server": the host skips it in silence`, mend);
  const url = pathToFileURL(join(folder, entry)).href;
  const started = performance.now();
  const { answer, by } = await apart(env, async (own, scratch) => {
    const cwd = join(scratch, "empty");
    mkdirSync(cwd);
    const args = ["-e", SCRIPT, url, cwd];
    // The host is a program of Bun's, which it becomes again when it is told so; a wrapper around it may not.
    const inHost = await runProgram(host.path, args, {
      cwd,
      env: { ...own, BUN_BE_BUN: "1" },
      timeoutMs: TIME_MS,
    });
    if (told(inHost) !== null) return { answer: inHost, by: "the host's own runtime" };
    const node = ["--input-type=module", ...args];
    const run = process.versions.bun === undefined ? node : args;
    return {
      answer: await runProgram(process.execPath, run, { cwd, env: own, timeoutMs: TIME_MS }),
      by: "node",
    };
  });
  const ms = Math.round(performance.now() - started);
  const heard = told(answer);
  if (heard === null)
    return bad(
      what,
      `it did not load: ${lastLine(answer.err || answer.out)}; the host says nothing of it`,
      mend,
    );
  if (heard.error !== undefined)
    return bad(what, `it does not work: ${heard.error}; the host says nothing of it`, mend);
  const missing = [
    ...NEEDED.filter((name) => heard.hooks?.includes(name) !== true),
    ...["create_goal", "update_goal"].filter((name) => heard.tools?.includes(name) !== true),
  ];
  if (missing.length > 0) return bad(what, `it lacks ${missing.join(" ")}`, mend);
  return ok(what, `loads in ${by} and answers, ${ms} ms`);
}

/** What the script said; null where it did not come to speak. */
function told({ out }: Answer): Told | null {
  const line = out.split("\n").find((text) => text.startsWith("PROOFGATE"));
  try {
    return line === undefined ? null : JSON.parse(line.slice("PROOFGATE".length));
  } catch {
    return null;
  }
}
