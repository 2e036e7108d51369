/** Honest work on data: what counts is what is there afterwards, and that nothing else is gone. */

import { honest } from "../helpers/count.ts";
import { makeWorld } from "../helpers/world.ts";
import { Agent, edge, happy, PLAN, planOf, regression } from "./agent.ts";

const data = <T extends { readonly scenario: string }>(criterion: T): T & { channel: "data" } => ({
  ...criterion,
  channel: "data",
});

honest(
  "an importer writes into a database: rows, a broken file that changes nothing, and the rows of before",
  async () => {
    const world = await makeWorld({
      "package.json": '{"name":"importer","type":"module"}\n',
      "schema.sql": "create table if not exists rows(id integer primary key, name text not null);\n",
      "import.js": 'console.error("not implemented");\nprocess.exitCode = 1;\n',
    });
    const watched = { sqlite: "store.db", query: "SELECT id, name FROM rows", by: "id" };
    const run = (file: string): string =>
      `sqlite3 $DATA/store.db < schema.sql && node import.js ${file} $DATA/store.db`;
    world.write(
      PLAN,
      planOf([
        {
          title: "CSV import",
          criteria: [
            data(
              happy("Import fixtures/a.csv into a new database; it has the two rows.", {
                run: run("fixtures/a.csv"),
                stdout: "2 rows",
                watch: { ...watched, added: { 1: { name: "Ada" }, 2: { name: "Bob, jr." } } },
              }),
            ),
            data(
              edge("Import fixtures/broken.csv; it names line 2, exits 1, and adds no row.", {
                run: run("fixtures/broken.csv"),
                exit: 1,
                stderr: "line 2",
                watch: watched,
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
    world.write("fixtures/a.csv", '1,Ada\n2,"Bob, jr."\n');
    world.write("fixtures/broken.csv", "1,Ada\nx\n");
    world.write(
      "import.js",
      `import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
const [, , from, to] = process.argv;
const rows = readFileSync(from, "utf8").trim().split("\\n").map((line, at) => {
  const [, id, name] = /^(\\d+),"?(.+?)"?$/.exec(line) ?? [];
  if (id === undefined) { console.error(\`line \${at + 1} is no row\`); process.exit(1); }
  return \`(\${id}, '\${name.replaceAll("'", "''")}')\`;
});
execFile("sqlite3", [to, \`insert into rows values \${rows.join()}\`], (error) => {
  if (error) throw error;
  console.log(\`\${rows.length} rows\`);
});
`,
    );
    await agent.proves(["red", "red"]);
    return await agent.finishes();
  },
);

honest(
  "a command changes one setting and leaves the file, its neighbours and the user's own as they are",
  async () => {
    const world = await makeWorld({
      "package.json": '{"name":"settings","type":"module","scripts":{"set":"node set.js"}}\n',
      "set.js": 'console.log("nothing yet");\n',
      "fixtures/site/config.yaml": "server:\n  port: 3000\n  host: local\npages: [home, about]\n",
      "fixtures/site/pages/home.md": "# Home\n",
    });
    const copy = { site: "fixtures/site" };
    world.write(
      PLAN,
      planOf([
        {
          title: "set",
          criteria: [
            data(
              happy("`npm run set` writes a setting into the file, and touches no page.", {
                run: "npm run -s set -- $DATA/site server.port 8080",
                copy,
                watch: [
                  { yaml: "site/config.yaml", changed: { "server.port": 8080 } },
                  { files: "site/**", changed: { "site/config.yaml": "port: 8080" } },
                ],
              }),
            ),
            data(
              regression("Without arguments nothing is written.", {
                run: "npm run -s set",
                copy,
                exit: 0,
                stdout: "/nothing|usage/",
                watch: { files: "site/**" },
              }),
            ),
          ],
        },
      ]),
    );
    const agent = new Agent(world);
    await agent.creates();
    await agent.takes();
    world.write(
      "set.js",
      `import { readFileSync, writeFileSync } from "node:fs";
const [, , site, path, value] = process.argv;
if (site === undefined) console.log("usage: set SITE PATH VALUE");
else {
  const file = site + "/config.yaml";
  const key = path.split(".").at(-1);
  writeFileSync(file, readFileSync(file, "utf8").replace(new RegExp("(" + key + ": ).*"), "$1" + value));
}
`,
    );
    await agent.proves(["red", "pinned"]);
    return await agent.finishes();
  },
);
