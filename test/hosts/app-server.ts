/** A running `codex app-server`: calls, and the notifications that tell what the host does by itself. */

import { spawn } from "node:child_process";
import { codexEnv, endGroup } from "./codex.ts";
import type { Installed } from "./gated.ts";

/** For one call, in milliseconds. */
const CALL_MS = 60_000;
/** For it to end by itself, in milliseconds. */
const END_MS = 5000;

/** What the host says unasked. */
export interface Note {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface AppServer {
  call(method: string, params: unknown): Promise<Readonly<Record<string, unknown>>>;
  /** Every notification, in order. Grows while the host runs. */
  readonly notes: readonly Note[];
  /** The first notification like this, of those to come or, from an index on, of those that came. */
  note(like: (note: Note) => boolean, from?: number): Promise<Note>;
  end(): Promise<void>;
}

interface Waiting {
  resolve(value: Readonly<Record<string, unknown>>): void;
  reject(error: Error): void;
}

/** Starts it in the repository and greets it. The caller must `end()` it. */
export async function startAppServer(codex: Installed): Promise<AppServer> {
  const child = spawn(codex.binary, ["app-server"], {
    cwd: codex.repo,
    env: codexEnv(codex.home, { PATH: codex.path }),
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const notes: Note[] = [];
  const calls = new Map<number, Waiting>();
  const watchers = new Set<() => void>();
  let lastId = 0;
  let rest = "";
  let errors = "";
  let over: Error | null = null;

  const send = (message: unknown): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  const take = (line: string): void => {
    const { id, method, params, result, error } = JSON.parse(line);
    if (method === undefined) {
      const call = calls.get(id);
      calls.delete(id);
      if (error === undefined) call?.resolve(result ?? {});
      else call?.reject(new Error(error.message));
    } else if (id === undefined) {
      notes.push({ method, params: params ?? {} });
      for (const look of [...watchers]) look();
    } else send({ id, error: { code: -32601, message: `nobody here answers ${method}` } });
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") take(line);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-4000);
  });
  child.stdin.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => {
    const settle = (why: string): void => {
      over ??= new Error(`codex app-server ${why}:\n${errors}`);
      for (const call of calls.values()) call.reject(over);
      calls.clear();
      for (const look of [...watchers]) look();
      resolve();
    };
    child.on("error", (error) => settle(error.message));
    child.on("close", (exit) => settle(`ended with ${exit}`));
  });

  const call: AppServer["call"] = (method, params) =>
    new Promise((resolve, reject) => {
      if (over !== null) return reject(over);
      const id = ++lastId;
      const timer = setTimeout(() => {
        calls.delete(id);
        reject(new Error(`no answer to ${method} within ${CALL_MS / 1000} s:\n${errors}`));
      }, CALL_MS);
      calls.set(id, {
        resolve(value) {
          clearTimeout(timer);
          resolve(value);
        },
        reject(error) {
          clearTimeout(timer);
          reject(error);
        },
      });
      send({ id, method, params });
    });
  const end = async (): Promise<void> => {
    child.stdin.end();
    const timer = setTimeout(() => endGroup(child.pid), END_MS);
    await closed;
    clearTimeout(timer);
    endGroup(child.pid);
  };

  try {
    await call("initialize", {
      clientInfo: { name: "test", title: "Test", version: "1" },
      capabilities: { experimentalApi: true },
    });
    send({ method: "initialized" });
  } catch (error) {
    await end();
    throw error;
  }
  return {
    call,
    notes,
    note: (like, from = notes.length) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = notes.slice(from).find(like);
          if (found === undefined && over === null) return;
          watchers.delete(look);
          if (found !== undefined) resolve(found);
          else reject(over);
        };
        watchers.add(look);
        look();
      }),
    end,
  };
}
