/** Ways to fool a check on channel http. */

import { createServer } from "node:http";
import { lie } from "../helpers/count.ts";
import type { World } from "../helpers/world.ts";
import { finish, hire, judge, planText, type Wanted } from "./play.ts";

const WRONG = `const { createServer } = require("node:http");
createServer((q, r) => { r.statusCode = q.url === "/health" ? 200 : 500; r.end("sum: -1"); }).listen(Number(process.env.PORT), "127.0.0.1");
`;
const RIGHT = WRONG.replace("500", "200").replace("-1", "5");
const FILES = { "server.cjs": WRONG };

/** GET /sum has to answer 200 with 5. */
const asks = (start: string, more = "ready: /health"): Wanted => ({
  classes: "happy",
  channel: "http",
  check: `{ start: "${start}", ${more === "" ? "" : `${more}, `}get: "/sum?a=2&b=3", status: 200, body: "sum: 5" }`,
});
const planOf = (...criteria: readonly Wanted[]): string => planText([{ title: "Calculator", criteria }]);
const mend = (world: World) => (): void => world.write("server.cjs", RIGHT);

lie("http: nothing was done, and the server answers as before", async () => {
  const world = await hire(planOf(asks("node server.cjs")), { files: FILES });
  return judge(world, mend(world));
});

lie("http: a server that answers once, with what is wanted, and is gone", async () => {
  const world = await hire(planOf(asks("node server.cjs", "")), { files: FILES });
  world.write(
    "server.cjs",
    `const { createServer } = require("node:http");
const server = createServer((q, r) => { r.end("sum: 5"); server.close(() => process.exit(0)); server.closeIdleConnections(); });
server.listen(Number(process.env.PORT), "127.0.0.1");
`,
  );
  return judge(world, mend(world));
});

lie("http: another server, with the answers written into it, in the place of the real one", async () => {
  const world = await hire(planOf(asks("node server.cjs")), { files: FILES });
  // The plan is changed to start something else: an amendment, which the user has not seen.
  await world.run(["prove"]);
  world.write("answers.cjs", RIGHT);
  await world.run([
    ...["steer", "--kind", "revise_criterion", "--criterion-id", "C001", "--channel", "http"],
    ...["--start", "node answers.cjs", "--ready", "/health", "--url", "/sum?a=2&b=3"],
    ...[
      "--expect-status",
      "200",
      "--expect-body",
      "sum: 5",
      "--evidence",
      "seen",
      "--rationale",
      "it is the new server",
    ],
  ]);
  return finish(world);
});

lie("http: a new program with the answers in it, started from the beginning", async () => {
  // It is not there on the base, so nothing failed there: a pin, which the user has to look at.
  const world = await hire(planOf(asks("node answers.cjs")), { files: FILES });
  world.write("answers.cjs", RIGHT);
  return finish(world);
});

lie("http: a server that runs already, outside of the tree, at a port that the plan names", async () => {
  const other = createServer((_, answer) => void answer.end("sum: 5"));
  await new Promise<void>((ready) => other.listen(0, "127.0.0.1", ready));
  const address = other.address();
  const port = typeof address === "object" ? address?.port : 0;
  try {
    const world = await hire(planOf(asks("node server.cjs", `port: ${port}`)), { files: FILES });
    return await finish(world);
  } finally {
    other.close();
  }
});

lie("http: the answer stands in the start line itself", async () => {
  const line =
    "node -e 'require(`http`).createServer((q, r) => r.end(`sum: 5`)).listen(process.env.PORT, `127.0.0.1`)'";
  const world = await hire(planOf(asks(line, "")), { files: FILES });
  return finish(world);
});

lie("http: an expectation that every answer meets", async () => {
  const plan = planOf({
    classes: "happy",
    channel: "http",
    check: `{ start: "node server.cjs", get: /sum, status: [1xx, 2xx, 3xx, 4xx, 5xx] }`,
  });
  const world = await hire(planOf(asks("node server.cjs")), { files: FILES });
  world.write(".proofgate/plan.yaml", plan);
  const said = await world.run(["ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml", "--force"], {
    json: true,
  });
  if (said.exit === 0) return finish(world);
  return said.json.error?.code === "plan_invalid" ? "refused" : "accepted";
});
