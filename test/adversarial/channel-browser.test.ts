/** Ways to fool a check on channel browser. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { counted, page } from "../evidence/channels/browser-pages.ts";
import { lie } from "../helpers/count.ts";
import type { World } from "../helpers/world.ts";
import { finish, hire, isDone, judge, must, PNG, planText } from "./play.ts";

const told = counted(lie);

/** An editor whose button does not work yet. */
const editor = (save: string, more = ""): string =>
  page(`<h1>Editor</h1><label>Title <input id="name"></label> <button onclick="save()">Save</button><p id="out"></p>
${more}<script>const say = (text) => { out.textContent = text; }; function save() { ${save} }</script>`);
const UNDONE = editor("say('Not yet')");
const DONE = editor("say('Saved ' + document.getElementById('name').value)");

/** Saving has to show that it was saved. */
const WANTED = `{ serve: site, steps: [{ open: /, see: Editor }, { fill: Title, with: Draft }, { click: Save, see: /^Saved/m, within: 2s }] }`;
const planOf = (check: string): string =>
  planText([{ title: "Editor", criteria: [{ classes: "happy", channel: "browser", check }] }]);
const hired = (check = WANTED, files: Readonly<Record<string, string>> = {}): Promise<World> =>
  hire(planOf(check), { files: { "site/index.html": UNDONE, ...files } });
const write = (world: World, html: string): void => world.write("site/index.html", html);

told("browser: a page that paints success, and logs that nothing was saved", async () => {
  const world = await hired();
  write(world, editor("say('Saved'); console.error('POST /api/save: no space left')"));
  return judge(world, () => write(world, DONE));
});

told("browser: success that stands on the page, and that nobody can see", async () => {
  const world = await hired();
  write(
    world,
    editor(
      "say('Not yet'); document.title = 'Saved'; hidden.style.left = '-9000px'; document.getElementById('name').value = 'Saved'",
      `<p id="hidden" style="position:absolute;left:-8000px">Saved</p><p style="opacity:0">Saved</p><div hidden>Saved</div><!-- Saved -->`,
    ),
  );
  return finish(world);
});

told("browser: a picture of an earlier attempt lies where the evidence belongs", async () => {
  const world = await hired();
  const place = ".omo/ulw-loop/evidence/G001-C001.png";
  await must(world.ask("ulw-loop", "complete-goals"));
  world.write(place, PNG);
  const said = await world.ask(
    ...["ulw-loop", "record-evidence", "--criterion-id", "C001", "--status", "pass"],
    ...["--evidence", `the page says Saved, see ${place} | cleanup: browser closed`],
  );
  if (said.json.results?.[0]?.status === "pass") return "accepted";
  // What lies there now is what the page really looks like.
  return readFileSync(join(world.root, place)).equals(PNG) ? "accepted" : isDone(world);
});

told("browser: a program of the repository that is called like a browser", async () => {
  const world = await hired(WANTED, { "bin/chromium": "#!/bin/sh\nexit 0\n" });
  await world.sh("chmod +x bin/chromium");
  write(world, DONE);
  const env = {
    PROOFGATE_BROWSER: join(world.root, "bin/chromium"),
    PATH: `${join(world.root, "bin")}:${world.env.PATH}`,
  };
  return finish(world, { env });
});

told("browser: a script that ends the driver with the status of a pass", async () => {
  const world = await hired("{ serve: site, script: e2e/save.mjs }", {
    "e2e/save.mjs": "export default () => { throw new Error('to be written'); };\n",
  });
  world.write("e2e/save.mjs", "export default () => process.exit(0);\n");
  return finish(world);
});

told("browser: another page, made for the check, in a folder of its own", async () => {
  const world = await hired(WANTED.replace("serve: site", "serve: shown"));
  world.write("shown/index.html", DONE);
  return finish(world);
});
