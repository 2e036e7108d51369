/** Channel http with real servers: what is sent, what is judged, what is ended, and what a plan may say. */
import { expect, test } from "bun:test";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { Refusal } from "../../../components/errors.ts";
import { describeCheck } from "../../../components/evidence/channels/words.ts";
import { removeFoldersAfterwards, tempFolder } from "../repo.ts";
import { checkOf, exampleOf, play, playIn } from "./play.ts";

removeFoldersAfterwards();

/** Answers with what it was asked, and knows a login. */
const SERVER = {
  "server.js": `
const { createServer } = require("node:http");
const server = createServer((asked, answer) => {
  let body = "";
  asked.on("data", (part) => { body += part; });
  asked.on("end", () => {
    const { method, url, headers } = asked;
    const name = /name=(\\w+)/.exec(headers.cookie ?? "")?.[1];
    if (url === "/health") return void setTimeout(() => answer.end("ok"), 20);
    if (url === "/stop") { answer.end("bye"); server.close(); server.closeAllConnections?.(); return; }
    if (url === "/crash") process.exit(7);
    if (url === "/hang") return;
    if (url === "/login") {
      answer.writeHead(303, { location: "/me", "set-cookie": ["name=" + new URLSearchParams(body).get("name") + "; Path=/; HttpOnly", "old=1; Max-Age=0"] });
      return void answer.end();
    }
    if (url === "/me" && name === undefined) answer.statusCode = 401;
    answer.setHeader("content-type", "application/json");
    answer.end(JSON.stringify({ method, url, body, type: headers["content-type"], name }));
  });
});
server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening on " + process.env.PORT));
`,
  "fixture.json": '{"from":"a file"}',
};
const start = "start: node server.js, ready: /health";

test("status, headers, body and JSON of an answer are judged, and the exchange is the evidence", async () => {
  const { verdict, log, run } = await play(
    "http",
    `{ ${start}, get: /x, status: 200, header: { content-type: json }, body: ['"url":"/x"', /"method":"(GET|HEAD)"/], json: { url: /x } }`,
    SERVER,
  );
  expect(verdict).toEqual({ kind: "met" });
  expect(log).toMatch(/GET \/x\n> accept/);
  expect(log).toMatch(/< HTTP\/1\.1 200 OK\n< content-type: application\/json/);
  // The server is ended with the run, and the receipt names it.
  expect(run.ended.join()).toContain("server.js");
  expect(run.alive).toEqual([]);
  expect(run.programs.map(({ name }) => name)).toEqual(["node"]);
});

test("what does not hold is told with what was wanted and what came", async () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["get: /me, status: 200", "GET /me: status", /^401 with the body \{"method":"GET"/],
    ["get: /me, status: [200, 2xx]", "GET /me: status", /^401/],
    ["get: /x, body: nowhere", "GET /x: body", /"url":"\/x"/],
    ["get: /x, header: { x-none: '' }", "GET /x: header x-none", /no such header/],
    ["get: /x, header: { content-type: html }", "GET /x: header content-type", /application\/json/],
    ["get: /x, json: { url: /y }", "GET /x: json url", /"\/x"/],
    ["get: /health, json: { a: 1 }", "GET /health: json", /ok/],
    ["get: /hang, within: 300ms, status: 200", "GET /hang", /none after 300 ms/],
    ["get: /crash, status: 200", "GET /crash", /exit 7/],
    ["get: /login, follow: false, status: 200", "GET /login: status", /303/],
  ];
  const seen = await Promise.all(cases.map(([check]) => play("http", `{ ${start}, ${check} }`, SERVER)));
  for (const [index, [, expectation, got]] of cases.entries()) {
    const verdict = seen[index]?.verdict;
    expect(verdict).toMatchObject({ kind: "unmet", expectation });
    expect(verdict?.kind === "unmet" ? verdict.got : "").toMatch(got);
  }
}, 60_000);

test("several requests are one scenario: forms, files, cookies, redirects", async () => {
  const { verdict, log } = await play(
    "http",
    `{ ${start}, steps: [
      { get: /me, status: 401 },
      { post: /login, form: { name: ada }, status: 303, header: { location: /me } },
      { get: /me, status: 200, json: { name: ada } },
      { post: /login, form: { name: bob }, follow: true, status: 2xx, json: { name: bob, method: GET, body: "" } },
      { put: /items/1, send: { a: [1, 2] }, json: { body: '{"a":[1,2]}', type: application/json } },
      { post: /items, send: "@fixture.json", json: { body: '{"from":"a file"}', method: POST } },
      { url: /items, method: OPTIONS, status: 200, json: { method: OPTIONS } },
      { head: /items, status: 200 } ] }`,
    SERVER,
  );
  expect(verdict).toEqual({ kind: "met" });
  expect(log).toContain("> cookie: name=ada");
  expect(log).not.toMatch(/^> cookie:.*old/m);
});

test("a server has to be ready, in whichever way it shows that", async () => {
  for (const ready of ["", ", ready: listening on", ", ready: /on \\d+/"])
    expect(
      (await play("http", `{ start: node server.js${ready}, get: /x, status: 200 }`, SERVER)).verdict.kind,
    ).toBe("met");
  const wrong = await play("http", "{ start: sleep 30, get: /x, status: 200, timeout: 3s }");
  expect(wrong.verdict).toMatchObject({ kind: "unmet", expectation: "ready" });
  expect(wrong.verdict.kind === "unmet" && wrong.verdict.got).toContain("does it listen on $PORT?");
  const never = await play(
    "http",
    "{ start: node server.js, ready: /me, get: /x, status: 200, timeout: 3s }",
    SERVER,
  );
  expect(never.verdict).toMatchObject({
    kind: "unmet",
    expectation: "ready",
    got: expect.stringContaining("status 401"),
  });
}, 30_000);

test("a server that is not there says nothing about the tree, one that falls over does", async () => {
  const missing = await play("http", "{ start: node nowhere.js, get: /x, status: 200 }");
  expect(missing.verdict).toEqual({ kind: "not_run", reason: "nowhere.js: no such script" });
  const program = await play("http", "{ start: no-such-server, get: /x, status: 200 }");
  expect(program.verdict).toMatchObject({ kind: "not_run", reason: expect.stringContaining("not found") });
  const broken = await play("http", "{ start: node broken.js, get: /x, status: 200 }", {
    "broken.js": "throw new Error('no database')",
  });
  expect(broken.verdict).toMatchObject({
    kind: "unmet",
    expectation: "ready",
    got: expect.stringMatching(/exit 1/),
  });
});

test("a server answers as long as the scenario lasts, unless its end is what is wanted", async () => {
  expect((await play("http", `{ ${start}, get: /stop, body: bye, ends: 0 }`, SERVER)).verdict.kind).toBe(
    "met",
  );
  const gone = await play("http", `{ ${start}, get: /stop, body: bye }`, SERVER);
  expect(gone.verdict).toMatchObject({ kind: "unmet", expectation: "still up" });
  const stays = await play("http", `{ ${start}, get: /x, status: 200, ends: 0, timeout: 4s }`, SERVER);
  expect(stays.verdict).toMatchObject({ kind: "unmet", expectation: "ends", got: "it still runs" });
}, 30_000);

test("a port that somebody else has is not asked, and nobody is ended for it", async () => {
  const other = createServer((_, answer) => void answer.end("somebody else's"));
  await new Promise<void>((ready) => other.listen(0, "127.0.0.1", ready));
  const address = other.address();
  const port = typeof address === "object" ? address?.port : 0;
  try {
    const { verdict } = await play(
      "http",
      `{ start: node server.js, port: ${port}, get: /x, status: 200 }`,
      SERVER,
    );
    expect(verdict).toMatchObject({
      kind: "blocked",
      reason: expect.stringContaining(`port ${port} is in use`),
    });
    expect(other.listening).toBe(true);
  } finally {
    other.close();
  }
});

test("where sockets are forbidden the answer is neither yes nor no", async () => {
  const { verdict } = await play("http", `{ start: node denied.js, get: /x, status: 200 }`, {
    "denied.js": "console.error('Error: listen EPERM: operation not permitted 127.0.0.1'); process.exit(1)",
  });
  expect(verdict).toMatchObject({ kind: "inconclusive", reason: expect.stringContaining("listen EPERM") });
});

test("only the driver itself can say that everything was met", async () => {
  // A server that looks for the driver's report and writes a better one, and ends the driver.
  const { verdict } = await play(
    "http",
    `{ start: node liar.js, ready: ready, get: /x, status: 200, timeout: 5s }`,
    {
      "liar.js": `
const { readFileSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const args = readFileSync("/proc/" + process.ppid + "/stat", "utf8").split(" ");
const driver = readFileSync("/proc/" + process.ppid + "/cmdline", "utf8").includes("driver") ? process.ppid : Number(args[3]);
const job = readFileSync("/proc/" + driver + "/cmdline", "utf8").split("\\0").find((one) => one.endsWith("job.json"));
writeFileSync(join(dirname(job), "report.json"), JSON.stringify({ verdict: { kind: "met" }, files: [] }));
process.kill(driver, "SIGKILL");
setTimeout(() => {}, 10_000);
`,
    },
  );
  expect(verdict.kind).toBe("blocked");
});

test("a plan is told everything that is wrong with it", () => {
  const wrong = (check: string): string => {
    try {
      checkOf("http", check);
      return "";
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.problems.map(({ where, message }) => `${where}: ${message}`).join("\n");
    }
  };
  const at = "goals[0].criteria[0].check";
  expect(wrong("{ get: /x, status: 200 }")).toContain(`${at}.start: is missing`);
  expect(wrong("{ start: node server.js }")).toContain("no request: give one, like get: /health, or steps");
  expect(wrong("{ start: node server.js, get: /x }")).toContain("nothing is expected of any answer");
  expect(wrong("{ start: node server.js, get: /x, statuss: 200 }")).toContain(
    'unknown key "statuss"; did you mean "status"?',
  );
  expect(wrong("{ start: node server.js, get: /x, status: 20 }")).toContain("must be a status like 404");
  expect(wrong("{ start: node server.js, get: 'http://example.org/', status: 200 }")).toContain(
    "must be a path on the server that is started",
  );
  expect(wrong("{ start: node server.js, get: /x, body: '/(/' }")).toContain("not a regular expression");
  expect(wrong("{ start: node server.js, get: /x, exit: 0, status: 200 }")).toContain('unknown key "exit"');
  expect(wrong("{ start: node server.js, get: /x, steps: [{ get: /y, status: 200 }] }")).toContain(
    "beside steps",
  );
  expect(wrong("{ start: node server.js, steps: [{ get: /y, post: /z, status: 200 }] }")).toContain(
    "must have one request",
  );
  expect(wrong("{ run: node server.js, get: /y, status: 200 }")).toContain("belongs to channel cli or data");
});

test("boards tell a scenario in one line", () => {
  expect(describeCheck(checkOf("http", "{ start: node server.js, get: /x, status: 200 }"))).toBe(
    "GET /x of node server.js",
  );
  expect(
    describeCheck(
      checkOf(
        "http",
        "{ start: node server.js, steps: [{ post: /a, status: 201 }, { get: /b, status: 2xx }] }",
      ),
    ),
  ).toBe("POST /a and 1 more of node server.js");
});

test("the example of the docs works, with the framework that it names", async () => {
  const folder = tempFolder();
  for (const name of ["hono", "@hono/node-server"]) {
    mkdirSync(dirname(join(folder, "node_modules", name)), { recursive: true });
    cpSync(join(import.meta.dir, "../../../node_modules", name), join(folder, "node_modules", name), {
      recursive: true,
    });
  }
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  writeFileSync(
    join(folder, "src/index.js"),
    `import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
const app = new Hono();
app.get("/", (c) => c.text("Hello Hono!"));
app.post("/login", async (c) => {
  setCookie(c, "name", (await c.req.parseBody()).name, { path: "/" });
  return c.redirect("/hello");
});
app.get("/hello", (c) => c.text("Hello " + getCookie(c, "name")));
app.get("/me", (c) => c.json({ name: getCookie(c, "name") }));
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env.PORT) }, () => console.log("Server is running"));
`,
  );
  expect((await playIn(folder, exampleOf("http"))).verdict).toEqual({ kind: "met" });
});
