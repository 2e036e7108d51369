/** Ways to fool a check on channel tmux. Which looks an echo meets, and what a plan may not say, is tried in test/evidence. */

import { lie } from "../helpers/count.ts";
import type { World } from "../helpers/world.ts";
import { ask } from "../hosts/ask.ts";
import { testUnless } from "../hosts/host-test.ts";
import { tmuxMissing } from "../hosts/tmux.ts";
import { finish, hire, judge, planText, type Wanted } from "./play.ts";

const missing = await tmuxMissing();
const tmuxLie: typeof lie =
  missing === null ? lie : (name) => testUnless(missing)(`lie: ${name}`, () => undefined);

/** A to-do list that reads lines: `add` is what it does with one. */
const LIST = (add: string): string => `items=0
echo "Todos (0)"
while read -r item; do
  ${add}
done
`;
const WRONG = LIST(":");
const RIGHT = LIST('items=$((items + 1)); echo "$items. $item"; echo "Todos ($items)"');
const FILES = { "todo.sh": WRONG };

const wants = (steps: string, start = "sh todo.sh"): Wanted => ({
  classes: "happy",
  channel: "tmux",
  check: `{ start: ${JSON.stringify(start)}, steps: [${steps}] }`,
});
/** Typing an item shows it in the list. */
const ADDS =
  '{ see: "Todos (0)" }, { type: buy milk, keys: Enter, see: ["1. buy milk", "Todos (1)"], within: 700ms }';
const planOf = (...criteria: readonly Wanted[]): string => planText([{ title: "To-do list", criteria }]);
const mend = (world: World) => (): void => world.write("todo.sh", RIGHT);

tmuxLie(
  "tmux: a program that shows its title and hangs, under a terminal that echoes what it is sent",
  async () => {
    const steps = '{ see: "Todos (0)" }, { type: buy milk, keys: Enter }, { see: /buy milk/, within: 700ms }';
    const world = await hire(planOf(wants(steps)), { files: { "todo.sh": "exit 3\n" } });
    world.write("todo.sh", 'echo "Todos (0)"; sleep 60\n');
    return judge(world, mend(world));
  },
);

tmuxLie("tmux: an expectation that the command line, the typed text or every screen meets", async () => {
  const world = await hire(planOf(wants(ADDS)), { files: FILES });
  const plans = [
    wants('{ see: "Todos (1)" }', "echo 'Todos (1)'; sleep 100"),
    wants('{ see: "todo.sh" }, { type: "Todos (1)", keys: Enter, see: "Todos (1)" }', "cat todo.sh -"),
    wants('{ type: "Todos (1)", keys: Enter }, { see: "Todos (1)" }'),
    wants('{ see: "/.*/" }, { type: x, see: "/[^]/" }'),
  ];
  for (const plan of plans) {
    world.write(".proofgate/plan.yaml", planOf(plan));
    const said = await world.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml", "--force");
    if (said.json.error?.code !== "plan_invalid") return finish(world);
  }
  return "refused";
});

tmuxLie(
  "tmux: the expectation stands in the command line in pieces, which only the shell puts together",
  async () => {
    const world = await hire(planOf(wants('{ see: "Todos (1)" }', "printf 'Todos (%s)' 1; sleep 100")), {
      files: FILES,
    });
    return finish(world);
  },
);

tmuxLie("tmux: a program that shows what is wanted and is gone", async () => {
  const world = await hire(planOf(wants(ADDS)), { files: FILES });
  world.write("todo.sh", LIST('echo "1. $item"; echo "Todos (1)"; exit 0'));
  return judge(world, mend(world));
});

tmuxLie(
  "tmux: a session of the same name, on the agent's own server, has the expectation on its screen",
  async () => {
    const world = await hire(planOf(wants(ADDS)), { files: FILES });
    const env = { ...world.env, TMUX_TMPDIR: world.home };
    const own = (...words: readonly string[]) =>
      ask("tmux", ["-f", "/dev/null", ...words], world.root, 10_000, env);
    await own("new-session", "-d", "-s", "ulw-qa-G001-C001", "echo 1. buy milk; echo 'Todos (1)'; sleep 600");
    try {
      const tmux = `${(await own("display-message", "-p", "#{socket_path}")).text.trim()},1,0`;
      const way = { env: { TMUX_TMPDIR: world.home, TMUX: tmux, TMUX_PANE: "%0" } };
      return await finish(world, way);
    } finally {
      await own("kill-server");
    }
  },
);

tmuxLie("tmux: a tmux of the agent's own, put first on the path, that shows what is wanted", async () => {
  const world = await hire(planOf(wants(ADDS)), { files: FILES });
  const screen = "Todos (0)\\n1. buy milk\\nTodos (1)\\n";
  world.write(
    "bin/tmux",
    `#!/bin/sh
case "$*" in
  *capture-pane*) printf '0|||0\\n${screen}====================\\n${screen}' ;;
  *) echo tmux 3.3a ;;
esac
`,
  );
  await world.sh("chmod +x bin/tmux");
  return finish(world, { env: { PATH: `${world.root}/bin:${world.env.PATH}` } });
});

tmuxLie("tmux: a new program with the screen drawn into it, started from the beginning", async () => {
  // It is not there on the base, so nothing failed there: a pin, which the user has to look at.
  const world = await hire(planOf(wants(ADDS, "sh screen.sh")), { files: FILES });
  world.write("screen.sh", RIGHT);
  return finish(world);
});
