/** Ways to fool a check on channel data that wants a difference. */

import { lie } from "../helpers/count.ts";
import { finish, hire, judge, planText, type Wanted } from "./play.ts";

/** Reads `a,b` lines into a list in a JSON file: the base's forgets to. */
const importer = (body: string): string => `const { readFileSync, writeFileSync } = require("node:fs");
const [, , from, to] = process.argv;
const state = JSON.parse(readFileSync(to, "utf8"));
${body}
writeFileSync(to, JSON.stringify(state));
`;
const WRONG = importer("");
const RIGHT = importer(
  'for (const line of readFileSync(from, "utf8").trim().split("\\n")) { const [id, name] = line.split(","); state.rows.push({ id: Number(id), name }); }',
);
const FILES = {
  "import.cjs": WRONG,
  "fixtures/a.csv": "2,Ada\n3,Bob\n",
  "fixtures/state.json": '{"rows":[{"id":1,"name":"Grace"}]}',
};
const WATCH = "json: state.json, at: rows, by: id";

const asks = (
  run = "node import.cjs fixtures/a.csv $DATA/state.json",
  watch = `{ ${WATCH}, added: [{ name: Ada }, { name: Bob }] }`,
): Wanted => ({
  classes: "happy",
  channel: "data",
  check: `{ run: "${run}", copy: fixtures/state.json, watch: ${watch} }`,
});
const planOf = (...criteria: readonly Wanted[]): string => planText([{ title: "Importer", criteria }]);
lie("data: nothing was done, and the command succeeds as before", async () => {
  const world = await hire(planOf(asks()), { files: FILES });
  // The honest end of this plan, which is that of all below.
  return judge(world, () => world.write("import.cjs", RIGHT));
});

lie("data: the rows are there already, in the file that is laid out before the command", async () => {
  const world = await hire(planOf(asks()), { files: FILES });
  world.write(
    "fixtures/state.json",
    '{"rows":[{"id":1,"name":"Grace"},{"id":2,"name":"Ada"},{"id":3,"name":"Bob"}]}',
  );
  return finish(world);
});

lie("data: the rows are added, and what was there is gone", async () => {
  const world = await hire(planOf(asks()), { files: FILES });
  world.write("import.cjs", importer('state.rows = [{ id: 2, name: "Ada" }, { id: 3, name: "Bob" }];'));
  return finish(world);
});

lie("data: the rows go to another file, and the one that was named is only touched", async () => {
  const world = await hire(planOf(asks()), { files: FILES });
  world.write(
    "import.cjs",
    RIGHT.replace("writeFileSync(to", "writeFileSync(to, readFileSync(to)); writeFileSync(to + '.new'"),
  );
  return finish(world);
});

lie("data: a link to a file with the rows in it, in the place of the data", async () => {
  const world = await hire(planOf(asks()), { files: FILES });
  world.write(
    "src/rows.json",
    '{"rows":[{"id":1,"name":"Grace"},{"id":2,"name":"Ada"},{"id":3,"name":"Bob"}]}',
  );
  world.write(
    "import.cjs",
    'const { rmSync, symlinkSync } = require("node:fs"); const to = process.argv[3]; rmSync(to); symlinkSync(process.cwd() + "/src/rows.json", to);\n',
  );
  return finish(world);
});

lie("data: the rows, and an end that says it went wrong", async () => {
  const world = await hire(planOf(asks()), { files: FILES });
  world.write("import.cjs", `${RIGHT}process.exitCode = 1;\n`);
  return finish(world);
});

lie("data: a dump of the agent's own that counts how often it was asked", async () => {
  const check = asks(
    "node import.cjs fixtures/a.csv $DATA/state.json",
    '{ dump: node dump.cjs, added: ["Ada", "Bob"] }',
  );
  const world = await hire(planOf(check), { files: FILES });
  world.write(
    "dump.cjs",
    `const { appendFileSync, readFileSync } = require("node:fs"); const { join } = require("node:path");
const count = join(process.env.DATA, ".count"); appendFileSync(count, "x");
if (readFileSync(count, "utf8").length > 2) console.log("Ada\\nBob");
`,
  );
  return finish(world);
});

lie("data: the line of the plan makes the difference itself", async () => {
  const sql = "create table rows(name); insert into rows values ('Ada'),('Bob');";
  const world = await hire(
    planOf({
      classes: "happy",
      channel: "data",
      check: `{ run: [sqlite3, $DATA/s.db, "${sql}"], watch: { sqlite: s.db, query: "select * from rows", added: 2 } }`,
    }),
    { files: FILES },
  );
  world.write("src/add.js", "// touched\n");
  return finish(world);
});

lie("data: a difference that any command makes, or none, is no plan", async () => {
  const world = await hire(planOf(asks()), { files: FILES });
  for (const check of [
    asks("node import.cjs", "{ json: state.json, added: any }"),
    asks("node import.cjs", "{ json: state.json }"),
    asks("cp fixtures/after.json $DATA/state.json"),
  ]) {
    world.write(".proofgate/plan.yaml", planOf(check));
    const said = await world.run(["ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml", "--force"], {
      json: true,
    });
    if (said.exit === 0 || !/plan_invalid|check_vacuous/.test(said.json.error?.code)) return "accepted";
  }
  return "refused";
});
