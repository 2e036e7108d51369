/** Drives channel http: starts the server, sends each request, and compares each answer. The log is the whole exchange. */

import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errno } from "../../../errors.ts";
import { patternTest } from "../../check.ts";
import { pickPath, sameValue } from "../../json-paths.ts";
import { type Program, type Stage, shown } from "../stage.ts";
import { Cookies } from "./cookies.ts";
import { type HttpStep, httpScenario } from "./scenario.ts";

interface Answer {
  readonly status: number;
  /** `HTTP/1.1 404 Not Found` */
  readonly line: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly setCookie: readonly string[];
  readonly body: string;
}

const WITHIN_MS = 30_000;
const MAX_BODY = 10 * 1024 * 1024;
/** Of a body in the log. */
const LOGGED = 256 * 1024;
const REDIRECTS = 10;
/** What ends because of the last request gets this long to do so. */
const SETTLE_MS = 150;

export async function driveHttp(stage: Stage): Promise<void> {
  const { check } = stage.job;
  const { ready, port, ends, steps } = httpScenario(check);
  const { server, origin } = await stage.serve(check.run, ready, port);
  const cookies = new Cookies();
  for (const step of steps) await play(stage, server, origin, step, cookies);
  await lastLook(stage, server, origin, ends);
}

async function play(
  stage: Stage,
  server: Program,
  origin: string,
  step: HttpStep,
  cookies: Cookies,
): Promise<void> {
  const name = `${step.method} ${step.path}`;
  let now = step;
  let send = step.send === null ? null : bytesOf(stage, step.send);
  for (let hop = 0; ; hop++) {
    const answer = await exchange(stage, server, origin, now, send, cookies);
    const redirects = step.follow && answer.status >= 300 && answer.status < 400;
    const to = redirects ? answer.headers.location : undefined;
    if (to === undefined) return compare(stage, name, step, answer);
    if (hop === REDIRECTS) stage.unmet(`${name}: redirect`, `at most ${REDIRECTS} redirects`, "one more");
    const path = pathOn(origin, to, now.path);
    if (path === null) return stage.unmet(`${name}: redirect`, "one to the same server", to);
    // What browsers do: only 307 and 308 repeat the request as it was.
    const again = answer.status === 307 || answer.status === 308;
    const plain = Object.entries(now.headers).filter(([field]) => field.toLowerCase() !== "content-type");
    if (!again) send = null;
    now =
      again || now.method === "HEAD"
        ? { ...now, path }
        : { ...now, path, method: "GET", headers: Object.fromEntries(plain) };
  }
}

/** Where a redirect leads to on the same server, by whichever of its loopback names; null for any other. */
function pathOn(origin: string, to: string, from: string): string | null {
  const target = new URL(to, origin + from);
  const local = /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(target.hostname);
  return local && target.port === new URL(origin).port ? target.pathname + target.search : null;
}

const bytesOf = (stage: Stage, send: string): Buffer =>
  send.startsWith("@") ? fileOf(stage, send.slice(1)) : Buffer.from(send);

function fileOf(stage: Stage, path: string): Buffer {
  try {
    return readFileSync(join(stage.job.cwd, path));
  } catch (error) {
    return stage.blocked(`${path} cannot be read (${errno(error) ?? String(error)}); the scenario sends it`);
  }
}

async function exchange(
  stage: Stage,
  server: Program,
  origin: string,
  step: HttpStep,
  send: Buffer | null,
  cookies: Cookies,
): Promise<Answer> {
  const { method, path } = step;
  const cookie = cookies.header(path);
  const headers: Record<string, string> = {
    accept: "*/*",
    "user-agent": "proofgate",
    ...(cookie === null ? {} : { cookie }),
    ...(send === null ? {} : { "content-length": String(send.length) }),
    ...step.headers,
  };
  stage.step(`${method} ${path}`);
  for (const [name, value] of Object.entries(headers)) stage.log(`> ${name}: ${value}`);
  if (send !== null) stage.log(`>\n${bounded(send.toString("utf8"))}`);
  const answer = await ask(stage, server, origin, { ...step, headers }, send);
  cookies.keep(answer.setCookie, path);
  stage.log(`< ${answer.line}`);
  for (const [name, value] of Object.entries(answer.headers)) stage.log(`< ${name}: ${value}`);
  stage.log(`<\n${bounded(answer.body)}\n`);
  return answer;
}

async function ask(
  stage: Stage,
  server: Program,
  origin: string,
  step: HttpStep,
  send: Buffer | null,
): Promise<Answer> {
  const name = `${step.method} ${step.path}`;
  const withinMs = Math.min(step.withinMs ?? WITHIN_MS, stage.left);
  try {
    return await sent(origin, step, send, withinMs);
  } catch (error) {
    const code = errno(error);
    if (code === "EPERM") stage.inconclusive(`no sockets here (connect ${code})`);
    await sleep(SETTLE_MS);
    stage.requireRunning(server, name, "an answer");
    stage.tail(server);
    return stage.unmet(
      name,
      `an answer within ${withinMs} ms`,
      error instanceof Error ? error.message : String(error),
    );
  }
}

/** @throws what the connection throws, or an error in words when the time is over or the body has no end */
function sent(
  origin: string,
  { method, path, headers }: HttpStep,
  send: Buffer | null,
  withinMs: number,
): Promise<Answer> {
  const url = new URL(origin);
  return new Promise((settle, fail) => {
    const asked = request({
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port,
      method,
      path,
      headers,
      agent: false,
      signal: AbortSignal.timeout(withinMs),
    });
    asked.once("error", (error) =>
      fail(
        error.name === "AbortError" || error.name === "TimeoutError"
          ? new Error(`none after ${withinMs} ms`)
          : error,
      ),
    );
    asked.once("response", (answer) => {
      const parts: Buffer[] = [];
      let size = 0;
      answer.on("data", (part: Buffer) => {
        size += part.length;
        if (size > MAX_BODY) asked.destroy(new Error(`a body of more than ${MAX_BODY} bytes`));
        else parts.push(part);
      });
      answer.once("error", fail);
      answer.once("aborted", () => fail(new Error("the connection broke off in the middle of the answer")));
      answer.once("end", () => settle(answerOf(answer, Buffer.concat(parts).toString("utf8"))));
    });
    asked.end(send ?? undefined);
  });
}

function answerOf(answer: IncomingMessage, body: string): Answer {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers))
    headers[name] = Array.isArray(value) ? value.join(", ") : (value ?? "");
  const status = answer.statusCode ?? 0;
  return {
    status,
    line: `HTTP/${answer.httpVersion} ${status} ${answer.statusMessage ?? ""}`.trimEnd(),
    headers,
    setCookie: answer.headers["set-cookie"] ?? [],
    body,
  };
}

function compare(stage: Stage, name: string, { expect }: HttpStep, answer: Answer): void {
  const { status, header = {}, body = [], json } = expect;
  if (status !== undefined && !status.some((one) => isStatus(one, answer.status)))
    stage.unmet(
      `${name}: status`,
      status.join(" or "),
      `${answer.status} with the body ${shown(answer.body)}`,
    );
  for (const [field, pattern] of Object.entries(header)) {
    const value = answer.headers[field.toLowerCase()];
    if (value === undefined || !patternTest(pattern)(value))
      stage.unmet(`${name}: header ${field}`, pattern || "to be there", value ?? "no such header");
  }
  for (const pattern of body)
    if (!patternTest(pattern)(answer.body)) stage.unmet(`${name}: body`, pattern, answer.body);
  if (json !== undefined) compareJson(stage, name, json, answer.body);
}

const isStatus = (wanted: number | string, got: number): boolean =>
  typeof wanted === "number" ? wanted === got : String(wanted).charAt(0) === String(got).charAt(0);

function compareJson(
  stage: Stage,
  name: string,
  wanted: Readonly<Record<string, unknown>>,
  body: string,
): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    stage.unmet(`${name}: json`, "a body that is JSON", body);
  }
  for (const [path, value] of Object.entries(wanted)) {
    const got = pickPath(parsed, path);
    if (!sameValue(value, got))
      stage.unmet(
        `${name}: json ${path}`,
        JSON.stringify(value) ?? "undefined",
        JSON.stringify(got) ?? "nothing there",
      );
  }
}

/** A server that answers once, and is gone, is none. */
async function lastLook(stage: Stage, server: Program, origin: string, ends: number | null): Promise<void> {
  if (ends === null) {
    await sleep(SETTLE_MS);
    stage.requireRunning(server, "still up", "the server goes on after the last step (or say `ends:`)");
    if ((await stage.until(() => stage.takesConnections(origin), 2000)) === null)
      stage.unmet("still up", "the server takes connections after the last step", "none");
    return;
  }
  const end = await stage.until(() => server.ended());
  if (end?.exit !== ends)
    stage.unmet(
      "ends",
      `exit ${ends} by itself`,
      end === null ? "it still runs" : `exit ${end.exit ?? end.signal}`,
    );
  stage.step(`the server ended with ${ends}`);
}

const bounded = (text: string): string =>
  text.length <= LOGGED ? text : `${text.slice(0, LOGGED)}\n… ${text.length - LOGGED} characters left out`;
