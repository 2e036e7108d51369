/** Honest work on servers: what counts is what they answer. */

import { cpSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { honest } from "../helpers/count.ts";
import { makeWorld, type World } from "../helpers/world.ts";
import { Agent, edge, happy, PLAN, planOf, regression } from "./agent.ts";

const http = <T extends { readonly scenario: string }>(criterion: T): T & { channel: "http" } => ({
  ...criterion,
  channel: "http",
});

const SERVER = (routes: string): string => `import { createServer } from "node:http";
const rows = new Map([["1", { id: "1", name: "Ada" }]]);
createServer((request, response) => {
  const url = new URL(request.url, "http://local");
  const say = (status, value) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(value));
  };
  if (url.pathname === "/health") return say(200, { ok: true });
${routes}
  say(500, { error: "not implemented" });
}).listen(Number(process.env.PORT), "127.0.0.1");
`;

honest(
  "a route is added to a server: found, not found, and what was there before",
  async () => {
    const world = await makeWorld({
      "package.json": '{"name":"rows","type":"module","scripts":{"start":"node server.js"}}\n',
      "server.js": SERVER(""),
    });
    const start = { start: "npm start", ready: "/health" };
    world.write(
      PLAN,
      planOf([
        {
          title: "Rows by id",
          criteria: [
            http(
              happy("GET /rows/1 answers 200 with Ada as JSON.", {
                ...start,
                get: "/rows/1",
                status: 200,
                json: { name: "Ada" },
              }),
            ),
            http(
              edge("GET /rows/9 answers 404 and says not found.", {
                ...start,
                get: "/rows/9",
                status: 404,
                body: "not found",
              }),
            ),
            http(
              regression("GET /health answers 200 as before.", {
                start: "npm start",
                get: "/health",
                status: 200,
                json: { ok: true },
              }),
            ),
          ],
        },
      ]),
    );
    const agent = new Agent(world);
    await agent.creates();
    await agent.takes();
    await agent.sees("fail", "C001");
    world.write(
      "server.js",
      SERVER(`  const [, id] = /^\\/rows\\/(\\w+)$/.exec(url.pathname) ?? [];
  if (id !== undefined) return rows.has(id) ? say(200, rows.get(id)) : say(404, { error: "not found" });`),
    );
    await agent.proves(["red", "red", "pinned"], "--all");
    return await agent.finishes();
  },
  { network: true },
);

/** What the framework's own starter begins with. */
const APP = (routes: string): string => `import { serve } from "@hono/node-server";
import { Hono } from "hono";
const app = new Hono();
app.get("/", (c) => c.text("Hello Hono!"));
${routes}
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env.PORT ?? 3000) }, (info) => {
  console.log(\`Server is running on http://localhost:\${info.port}\`);
});
`;

function withFramework(world: World): void {
  for (const name of ["hono", "@hono/node-server"]) {
    const to = join(world.root, "node_modules", name);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(import.meta.dir, "../../node_modules", name), to, { recursive: true });
  }
}

honest(
  "a framework's hello world learns to log in, in one scenario with cookies and a redirect",
  async () => {
    const world = await makeWorld({
      "package.json":
        '{"name":"hello","type":"module","dependencies":{"hono":"*","@hono/node-server":"*"}}\n',
      ".gitignore": "node_modules/\n",
      "src/index.js": APP(""),
      "fixtures/ada.json": '{"name":"Ada"}\n',
    });
    withFramework(world);
    const start = { start: "node src/index.js", ready: "Server is running" };
    world.write(
      PLAN,
      planOf([
        {
          title: "Log in",
          criteria: [
            http(
              happy("POST /login with a name leads to /me, which answers with it.", {
                ...start,
                steps: [
                  { get: "/me", status: 401 },
                  {
                    post: "/login",
                    send: "@fixtures/ada.json",
                    follow: true,
                    status: 200,
                    body: "Hello Ada",
                  },
                  { get: "/me", status: "2xx", body: "/^Hello Ada$/" },
                ],
              }),
            ),
            http(regression("GET / still says hello.", { ...start, get: "/", body: "Hello Hono!" })),
          ],
        },
      ]),
    );
    const agent = new Agent(world);
    await agent.creates();
    await agent.takes();
    world.write(
      "src/index.js",
      APP(`import { getCookie, setCookie } from "hono/cookie";
app.post("/login", async (c) => {
  const { name } = await c.req.json();
  setCookie(c, "name", name, { path: "/", httpOnly: true });
  return c.redirect("/me", 303);
});
app.get("/me", (c) => {
  const name = getCookie(c, "name");
  return name ? c.text(\`Hello \${name}\`) : c.text("Who are you?", 401);
});`),
    );
    await agent.proves(["red", "pinned"]);
    return await agent.finishes();
  },
  { network: true },
);
