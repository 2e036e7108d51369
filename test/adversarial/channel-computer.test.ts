/** Ways to fool a check on channel computer. */

import { MISSING, otherScreen, TODO } from "../evidence/channels/desktop.ts";
import { lie } from "../helpers/count.ts";
import { testUnless } from "../hosts/host-test.ts";
import { finish, hire, judge, PNG, planText, type Wanted } from "./play.ts";

const lieOnScreen: typeof lie =
  MISSING === null ? lie : (name) => testUnless(`${MISSING} is missing`)(`lie: ${name}`, () => {});

/** The base's does not count what it lists. */
const WRONG = TODO.replace('wm title . "Todo: [.list size] open"', "");
const FILES = { "todo.tcl": WRONG };
const asks = (
  start = "wish todo.tcl",
  steps = '{ window: Todo, type: milk, keys: [Return] }, { window: "Todo: 1 open", within: 1s }',
): Wanted => ({
  classes: "happy",
  channel: "computer",
  check: `{ start: ${start}, size: 400x300, steps: [${steps}] }`,
});
const planOf = (wanted: Wanted): string => planText([{ title: "Todo", criteria: [wanted] }]);

lieOnScreen("computer: nothing was done, and the window looks as before", async () => {
  const world = await hire(planOf(asks()), { files: FILES });
  return judge(world, () => world.write("todo.tcl", TODO));
});

lieOnScreen("computer: the right title stands there before anything was done", async () => {
  const world = await hire(planOf(asks("wish todo.tcl", "{ window: Todo }")), { files: FILES });
  world.write("todo.tcl", `${WRONG}# touched\n`);
  return finish(world);
});

lieOnScreen("computer: the start line sets the title itself", async () => {
  const line = `"echo 'wm title . {Todo: 1 open}' | wish -"`;
  const world = await hire(planOf(asks(line, '{ window: "Todo: 1 open" }')), { files: FILES });
  world.write("todo.tcl", `${WRONG}# touched\n`);
  return finish(world);
});

lieOnScreen("computer: another program, with the right title, on the screen of the user", async () => {
  const other = await otherScreen("Todo: 1 open");
  try {
    const world = await hire(planOf(asks()), { files: FILES });
    world.env.DISPLAY = other.display;
    world.write("todo.tcl", `${WRONG}# touched\n`);
    return await finish(world);
  } finally {
    other.end();
  }
});

lieOnScreen("computer: an old picture, and a text by that name, where the picture goes", async () => {
  const world = await hire(planOf(asks()), { files: FILES });
  for (const content of [PNG, "a picture of three rows"]) {
    world.write(".omo/ulw-loop/evidence/G001-C001.png", content);
    const said = await world.ask(
      ...["ulw-loop", "record-evidence", "--criterion-id", "C001", "--status", "pass"],
      ...["--evidence", "seen: evidence/G001-C001.png | cleanup: closed"],
    );
    if (said.exit === 0) return "accepted";
  }
  return finish(world);
});

lieOnScreen("computer: a plan in which nothing is looked at", async () => {
  const world = await hire(planOf(asks()), { files: FILES });
  world.write(".proofgate/plan.yaml", planOf(asks("wish todo.tcl", "{ type: milk, keys: [Return] }")));
  const said = await world.run(["ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml", "--force"], {
    json: true,
  });
  return said.exit !== 0 && /plan_invalid|check_vacuous/.test(said.json.error?.code) ? "refused" : "accepted";
});
