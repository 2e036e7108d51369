/** Honest work on programs in a terminal: what counts is what their screens show. */

import { honest } from "../helpers/count.ts";
import { makeWorld } from "../helpers/world.ts";
import { testUnless } from "../hosts/host-test.ts";
import { tmuxMissing } from "../hosts/tmux.ts";
import { Agent, edge, happy, PLAN, planOf } from "./agent.ts";

const tmux = <T extends { readonly scenario: string }>(criterion: T): T & { channel: "tmux" } => ({
  ...criterion,
  channel: "tmux",
});

/** tmux needs them, and a sandbox without network forbids them. */
const SOCKETS = { network: true } as const;
/** Where there is no tmux the run says so, and is none. */
const missing = await tmuxMissing();
const tmuxHonest: typeof honest =
  missing === null ? honest : (title) => testUnless(missing)(`honest: ${title}`, () => undefined);

/** A to-do list that draws its whole screen. @param keys what is done with keys other than letters */
const TODO = (keys: string): string => `const items = [];
let line = "";
let at = 0;
const draw = () => {
  const rows = items.map((item, index) => (index === at ? "> " : "  ") + item);
  process.stdout.write("\\x1b[2J\\x1b[H\\x1b[1mTodos (" + items.length + ")\\x1b[0m\\r\\n" + rows.join("\\r\\n") + "\\r\\nnew: " + line);
};
const press = (key) => {
  if (key === "\\r") items.push(line), (line = "");
  else if (key === "\\x03") process.stdout.write("\\x1b[?1049l"), process.exit(0);
${keys}
  else if (!key.startsWith("\\x1b")) line += key;
};
process.stdin.setRawMode(true);
process.stdin.on("data", (data) => {
  for (const key of data.toString().match(/\\x1b\\[\\d*[A-Z~]|[^]/g)) press(key);
  draw();
});
process.stdout.write("\\x1b[?1049h");
draw();
`;

tmuxHonest(
  "a to-do list learns to remove an item, and what was typed is in the list",
  async () => {
    const world = await makeWorld({
      "package.json": '{"name":"todos","type":"module"}\n',
      "todo.js": TODO(""),
    });
    const start = { start: "node todo.js", size: "60x20" };
    const ready = { see: "Todos (0)" };
    const two = { type: "buy milk", keys: "Enter", see: "> buy milk" };
    world.write(
      PLAN,
      planOf([
        {
          title: "Remove items",
          criteria: [
            tmux(
              happy("Delete removes the item under the mark, and the counter says 1.", {
                ...start,
                steps: [
                  ready,
                  two,
                  { type: "eggs", keys: ["Enter", "Down"], see: ["> eggs", "Todos (2)"], within: "1s" },
                  { keys: "Delete", see: ["Todos (1)", "> buy milk"], not: "eggs", within: "1s" },
                ],
              }),
            ),
            tmux(
              edge("Delete in an empty list leaves it empty, and C-c ends the program with 0.", {
                ...start,
                steps: [
                  ready,
                  { keys: ["Delete", "Delete"], see: "Todos (0)", not: ["undefined", "Error"] },
                  { keys: "C-c" },
                ],
                ends: 0,
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
      "todo.js",
      TODO(`  else if (key === "\\x1b[B") at = Math.min(at + 1, Math.max(0, items.length - 1));
  else if (key === "\\x1b[3~") items.splice(at, 1), (at = Math.min(at, Math.max(0, items.length - 1)));`),
    );
    await agent.proves(["red", "pinned"], "--all");
    return await agent.finishes();
  },
  SOCKETS,
);

tmuxHonest(
  "one goal on the command line: a script that asks learns to greet, and its terminal echoes the name",
  async () => {
    const world = await makeWorld({
      "greet.sh": 'printf "Name? "\nread -r name\necho "Hello"\n',
      "README.md": "# Greeter\n",
    });
    const agent = new Agent(world);
    await agent.does(
      ...["goal", "Greet by name", "--channel", "tmux", "--start", "sh greet.sh"],
      ...[
        "--check",
        "{ steps: [{ see: Name? }, { type: Ada, see: Name? Ada }, { keys: Enter, see: Hello Ada, within: 1s }], ends: 0 }",
      ],
    );
    await agent.sees("fail");
    world.write("greet.sh", 'printf "Name? "\nread -r name\nclear\necho "Hello $name"\n');
    await agent.proves("red");
    return await agent.finishes();
  },
  SOCKETS,
);
