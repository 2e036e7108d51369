/** Honest work on desktop programs: what counts is what stands in their windows. */

import { MISSING, TODO } from "../evidence/channels/desktop.ts";
import { honest } from "../helpers/count.ts";
import { makeWorld } from "../helpers/world.ts";
import { testUnless } from "../hosts/host-test.ts";
import { Agent, edge, happy, PLAN, planOf, regression } from "./agent.ts";

const onScreen: typeof honest =
  MISSING === null ? honest : (title) => testUnless(`${MISSING} is missing`)(`honest: ${title}`, () => {});

const computer = <T extends { readonly scenario: string }>(criterion: T): T & { channel: "computer" } => ({
  ...criterion,
  channel: "computer",
});
const start = { start: "wish todo.tcl", size: "640x480" };

onScreen(
  "a list learns to save: a message, which goes away again, and the count in the title as before",
  async () => {
    const world = await makeWorld({ "todo.tcl": TODO.replace(/bind \. <Control-s> \{[\s\S]*?\n\}\n/, "") });
    world.write(
      PLAN,
      planOf([
        {
          title: "Save",
          criteria: [
            computer(
              happy("Control-s says that all was saved, and the message goes away.", {
                ...start,
                steps: [
                  { window: "Todo", type: "buy milk", keys: ["Return"] },
                  { window: "/1 open/", keys: ["ctrl+s"] },
                  { window: "Saved", prints: "saved 1", within: "3s" },
                  { gone: "Saved" },
                ],
              }),
            ),
            computer(
              regression("A thing to do is added with Return, and the title counts it.", {
                ...start,
                steps: [
                  { window: "Todo", type: "buy milk", keys: ["Return"] },
                  { window: "/^Todo: 1 open$/" },
                ],
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
    world.write("todo.tcl", TODO);
    await agent.proves(["red", "pinned"], "--all");
    return await agent.finishes();
  },
  { network: true },
);

onScreen(
  "a button is mended and a key ends the program with its status",
  async () => {
    const world = await makeWorld({
      "todo.tcl": TODO.replace("{ .list delete 0 end; ", "{ ")
        .replace("exit 3", "exit 0")
        .replace("Todo: empty", "Todo: broken"),
    });
    world.write(
      PLAN,
      planOf([
        {
          title: "Clear and quit",
          criteria: [
            computer(
              happy("Clear empties the list, and the title says so.", {
                ...start,
                steps: [
                  { window: "Todo", type: "milk", keys: ["Return"] },
                  { window: "1 open", click: [60, 196] },
                  { window: "Todo: empty", within: "2s", type: "tea", keys: "Return" },
                  { window: "Todo: 1 open" },
                ],
              }),
            ),
            computer(
              edge("Control-q ends it with status 3.", {
                ...start,
                steps: [{ window: "Todo", keys: "ctrl+q" }],
                ends: 3,
              }),
            ),
          ],
        },
      ]),
    );
    const agent = new Agent(world);
    await agent.creates();
    await agent.takes();
    world.write("todo.tcl", TODO);
    await agent.proves(["red", "red"]);
    return await agent.finishes();
  },
  { network: true },
);
