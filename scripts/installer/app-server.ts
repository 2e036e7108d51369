/** The host's app server, its own interface for other programs: JSON-RPC, a message a line, over standard input and output. */

import { spawn } from "node:child_process";
import { Refusal } from "../../components/errors.ts";
import { endGroup, type Host, hostEnv, lastLine } from "./host.ts";
import type { Spots } from "./spots.ts";
import { noteHost } from "./turn.ts";

export type Call = (method: string, params: unknown) => Promise<unknown>;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message?: string };
}

const CALL_MS = 30_000;

/** Starts an app server, gives `use` a way to call it, and ends it. @throws Refusal `host_failed` */
export async function withAppServer<T>(
  host: Host,
  spots: Spots,
  env: NodeJS.ProcessEnv,
  use: (call: Call) => Promise<T>,
): Promise<T> {
  const child = spawn(host.path, ["app-server"], {
    cwd: spots.codexHome,
    env: hostEnv(spots, env),
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  noteHost(child.pid ?? null);
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let errors = "";
  let lastId = 0;
  let rest = "";
  const fail = (found: string): Refusal =>
    new Refusal("host_failed", "The host's app server did not answer as it should.", {
      expected: "codex app-server that lists hooks and writes its configuration",
      found,
      next: ["start codex once, then run the same command again", "or trust the hooks in codex: /hooks"],
    });
  const failAll = (found: string): void => {
    for (const { reject } of waiting.values()) reject(fail(found));
    waiting.clear();
  };
  const take = (line: string): void => {
    let message: Message;
    try {
      message = JSON.parse(line);
    } catch {
      return; // A line of a log.
    }
    // Requests of the server to us do not occur in what is used here; notifications are of no interest.
    if (message.id === undefined || message.method !== undefined) return;
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error !== undefined) call?.reject(fail(message.error.message ?? "an error"));
    else call?.resolve(message.result);
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") take(line);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  child.stdin.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => {
    child.on("error", (error) => {
      failAll(error.message);
      resolve();
    });
    child.on("close", () => {
      failAll(lastLine(errors));
      resolve();
    });
  });
  const call: Call = (method, params) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(fail(`no answer to ${method} within ${CALL_MS / 1000} s`));
      }, CALL_MS);
      const settled = <V>(then: (value: V) => void): ((value: V) => void) => {
        return (value) => {
          clearTimeout(timer);
          then(value);
        };
      };
      waiting.set(id, { resolve: settled(resolve), reject: settled(reject) });
      child.stdin.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  try {
    await call("initialize", {
      clientInfo: { name: "proofgate", title: "Proofgate", version: "1" },
      capabilities: { experimentalApi: true },
    });
    child.stdin.write(`${JSON.stringify({ method: "initialized" })}\n`);
    return await use(call);
  } finally {
    child.stdin.end();
    const timer = setTimeout(() => endGroup(child.pid), 4000);
    await closed;
    clearTimeout(timer);
    endGroup(child.pid);
    noteHost(null);
  }
}
