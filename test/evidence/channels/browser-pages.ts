/** Pages for the tests of channel browser, and whether there is a browser to open them in. */
import { test } from "bun:test";
import { existsSync } from "node:fs";
import type { honest, lie } from "../../helpers/count.ts";
import { testUnless } from "../../hosts/host-test.ts";

const INSTALLED = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome-stable",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
].some((path) => existsSync(path));

const MISSING = INSTALLED ? null : "no Chrome or Chromium: apt-get install chromium";

/** Tests that open a page: skipped where nothing can, failing in CI. */
export const browserTest = testUnless(MISSING);

/** The same for those that are counted. */
export const counted = <Declare extends typeof lie | typeof honest>(declare: Declare): Declare =>
  MISSING === null || process.env.CI === "true"
    ? declare
    : (((title: string) => test.skip(`${title} (skipped: ${MISSING})`, () => {})) as unknown as Declare);

export const page = (body: string, head = "<title>Page</title>"): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8">${head}</head><body>${body}</body></html>`;

/** A form with one of each, which a server answers with a page. */
export const FORM = page(
  `<main><h1>Sign up</h1>
<form action="/welcome" method="post" enctype="multipart/form-data">
  <label>Name * <input name="name" required></label>
  <input name="city" placeholder="City">
  <label>Plan <select name="plan"><option value="f">Free</option><option value="p">Paid</option></select></label>
  <label><input type="checkbox" name="terms"> I agree</label>
  <label>Picture <input type="file" name="picture"></label>
  <button>Send it</button>
</form>
<button id="ask">Delete all</button> <a href="/help" target="_blank">Help</a>
<ul id="rows"><li>one</li><li>two</li><li>three</li></ul></main>
<script>
  document.getElementById("ask").onclick = () => {
    if (confirm("Delete everything?")) setTimeout(() => document.getElementById("rows").replaceWith("no rows"), 120);
  };
</script>`,
  "<title>Form</title>",
);

/** Serves `FORM`, answers it, and has a page that is not there. */
export const SERVER = `
const { createServer } = require("node:http");
const { readFileSync } = require("node:fs");
createServer((asked, answer) => {
  const parts = [];
  asked.on("data", (part) => parts.push(part));
  asked.on("end", () => {
    const body = Buffer.concat(parts).toString();
    const field = (name) => new RegExp('name="' + name + '"(?:; filename="([^"]*)")?[^]*?\\r\\n\\r\\n([^]*?)\\r\\n--').exec(body);
    answer.setHeader("content-type", "text/html; charset=utf-8");
    if (asked.url === "/welcome") {
      if (field("terms") === null) { answer.statusCode = 422; return void answer.end("<title>No</title><p>Please agree.</p>"); }
      return void answer.end("<title>Welcome</title><h1>Hello <b>" + field("name")[2] + "</b></h1><p>" + [field("city")[2], field("plan")[2], field("picture")[1]] + "</p>");
    }
    if (asked.url === "/help") return void answer.end("<title>Help</title><h1>How it works</h1>");
    if (asked.url === "/crash") process.exit(7);
    if (asked.url !== "/") { answer.statusCode = 404; return void answer.end("<title>404</title><p>No such page</p>"); }
    answer.end(readFileSync("form.html"));
  });
}).listen(Number(process.env.PORT), "127.0.0.1");
`;

/** What nobody can see, each with its own word, and what everybody can. */
export const HIDDEN = page(
  `<style>
  .sr { position: absolute; width: 1px; height: 1px; overflow: hidden; }
  .loud { text-transform: uppercase; }
</style>
<p style="display:none">none-hid</p>
<p style="visibility:hidden">visibility-hid</p>
<div style="opacity:0"><p>opacity-hid</p></div>
<div style="opacity:.2"><div style="opacity:.2">faint-hid</div></div>
<p style="position:absolute;left:-9999px">left-hid</p>
<p style="position:absolute;top:-500px">above-hid</p>
<p style="position:fixed;left:3000px;top:0">fixed-hid</p>
<p style="text-indent:-9999px;overflow:hidden">indent-hid</p>
<p class="sr">reader-hid</p>
<p style="font-size:0">size-hid</p>
<p style="transform:scale(0)">scale-hid</p>
<p style="color:transparent">colour-hid</p>
<p style="clip-path:inset(100%)">clip-hid</p>
<div style="height:0;overflow:hidden">height-hid</div>
<details><summary>more-seen</summary>details-hid</details>
<noscript>noscript-hid</noscript><template>template-hid</template><!-- comment-hid -->
<textarea>textarea-hid</textarea><input value="input-hid"><div contenteditable>editor-hid</div>
<select><option>option-hid</option></select>
<img alt="alt-hid" src="data:,">
<iframe srcdoc="<p>frame-seen</p>"></iframe><iframe hidden srcdoc="<p>noframe-hid</p>"></iframe>
<p>Hello <b>bold</b>-seen</p><p class="loud">loud-seen</p>
<div style="overflow:auto;height:40px"><p style="margin-top:200px">scrolled-seen</p></div>
<input type="submit" value="submit-seen">
<my-card><span>slotted-seen</span></my-card>
<table><tr><td>cell</td><td>next-seen</td></tr></table>
<div style="height:3000px"></div><p>below-seen</p>
<script>
  customElements.define("my-card", class extends HTMLElement {
    connectedCallback() { this.attachShadow({ mode: "open" }).innerHTML = "<p>shadow-seen</p><slot></slot><p hidden>shadow-hid</p>"; }
  });
  // A page that would like to say what is seen of it.
  Element.prototype.checkVisibility = () => true;
  Range.prototype.getClientRects = Element.prototype.getClientRects = () => [new DOMRect(10, 10, 100, 20)];
  window.getComputedStyle = () => new Proxy({}, { get: (_, key) => (key === "opacity" ? "1" : "block") });
  JSON.stringify = () => '"everything-hid"';
</script>`,
  "<title>title-hid</title>",
);

/** The page of the docs' example, with the framework that it names. */
export const HONO = `import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { html } from "hono/html";
const app = new Hono();
const page = (title, body) => html\`<!doctype html>
<html lang="en"><head><title>\${title}</title></head><body><main><h1>\${title}</h1>\${body}</main></body></html>\`;
app.get("/", (c) => c.html(page("Sign up", html\`<form method="post" action="/welcome">
  <p><label for="name">Your name</label> <input id="name" name="name" required></p>
  <p><label><input type="checkbox" name="news" value="yes"> Send me news</label></p>
  <p><button>Send</button></p>
</form>\`)));
app.post("/welcome", async (c) => {
  const { name, news } = await c.req.parseBody();
  return c.html(page("Welcome", html\`<p>Hello \${name}, you get \${news ? "news" : "nothing"}.</p>\`));
});
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env.PORT) }, () => console.log("Server is running"));
`;
