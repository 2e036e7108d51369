/** Honest work on pages: what counts is what a person can do and see there. */

import { counted, page } from "../evidence/channels/browser-pages.ts";
import { honest } from "../helpers/count.ts";
import { makeWorld } from "../helpers/world.ts";
import { Agent, happy, PLAN, planOf, regression } from "./agent.ts";

const told = counted(honest);

const browser = <T extends { readonly scenario: string }>(criterion: T): T & { channel: "browser" } => ({
  ...criterion,
  channel: "browser",
});

/** A server with a form, in the manner of a first tutorial. */
const SERVER = (welcome: string): string => `import { createServer } from "node:http";
const page = (title, body) => \`<!doctype html><html lang="en"><head><title>\${title}</title></head><body><h1>\${title}</h1>\${body}</body></html>\`;
const form = (error = "") => page("Sign up", \`<form method="post" action="/sign-up">
  \${error}<p><label>Your name <input name="name"></label></p><p><button>Send</button></p></form>\`);
createServer((request, response) => {
  let body = "";
  request.on("data", (part) => { body += part; });
  request.on("end", () => {
    const say = (status, html) => response.writeHead(status, { "content-type": "text/html" }).end(html);
    if (request.url === "/") return say(200, form());
    const name = new URLSearchParams(body).get("name") ?? "";
${welcome}
    say(500, page("Error", "<p>Not implemented</p>"));
  });
}).listen(Number(process.env.PORT), "127.0.0.1");
`;

told(
  "a form learns to greet, and to say what is missing",
  async () => {
    const world = await makeWorld({
      "package.json": '{"name":"greet","type":"module","scripts":{"start":"node server.js"}}\n',
      "server.js": SERVER(""),
    });
    const start = { start: "npm start", ready: "/" };
    world.write(
      PLAN,
      planOf([
        {
          title: "Sign up",
          criteria: [
            browser(
              happy("Send without a name: the form asks for it, with status 422; then Ada is greeted.", {
                ...start,
                steps: [
                  { open: "/", see: { role: "heading", name: "Sign up" } },
                  { click: "Send", status: 422, see: "Please say your name", within: "4s" },
                  { fill: "Your name", with: "Ada" },
                  { click: "Send", status: 200, url: "/sign-up", see: "Hello Ada", not: "Error" },
                ],
              }),
            ),
            {
              ...regression("GET / answers 200 with the form, as before.", {
                ...start,
                get: "/",
                status: 200,
                body: "Your name",
              }),
              channel: "http",
            },
          ],
        },
      ]),
    );
    const agent = new Agent(world);
    await agent.creates();
    await agent.takes();
    world.write(
      "server.js",
      SERVER(`    if (name === "") return say(422, form('<p role="alert">Please say your name</p>'));
    return say(200, page("Welcome", \`<p>Hello <b>\${name.replace(/[<&]/g, "")}</b></p>\`));`),
    );
    await agent.proves(["red", "pinned"]);
    return await agent.finishes();
  },
  { network: true },
);

const COUNTER = (script: string): string =>
  page(`<main><h1>Counter</h1><button id="more">One more</button><p>Count: <output id="count">0</output></p></main>
<script type="module" src="counter.js"></script>${script}`);

told(
  "a static page gets its script, tested by a script of the repository",
  async () => {
    const world = await makeWorld({
      "site/index.html": COUNTER(""),
      "site/counter.js": "// to be written\n",
      "test/texts.sh": "grep -q '<h1>Counter</h1>' site/index.html\n",
    });
    world.write(
      PLAN,
      planOf([
        {
          title: "Counter",
          criteria: [
            browser(
              happy("A click on the button counts to 1, and a reload keeps it.", {
                serve: "site",
                script: "e2e/counter.mjs",
                a11y: "clean",
                within: "4s",
              }),
            ),
            regression("The page still has its heading.", "sh test/texts.sh"),
          ],
        },
      ]),
    );
    const agent = new Agent(world);
    await agent.creates();
    await agent.takes();
    world.write(
      "e2e/counter.mjs",
      `export default async ({ page, origin, see }) => {
  await page.goto(origin);
  await page.getByRole("button", { name: "One more" }).click();
  await see("Count: 1");
  await page.reload();
  await see("Count: 1");
};
`,
    );
    world.write(
      "site/counter.js",
      `const out = document.getElementById("count");
const show = () => { out.value = localStorage.getItem("count") ?? "0"; };
document.getElementById("more").onclick = () => {
  localStorage.setItem("count", String(Number(out.value) + 1));
  show();
};
show();
`,
    );
    await agent.proves(["red", "pinned"]);
    return await agent.finishes();
  },
  { network: true },
);
