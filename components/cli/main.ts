/** The command line: finds the command, runs it, says what came of it. */

import { parseInvocation } from "./args.ts";
import { type Context, currentFolder, makeContext, type Output } from "./context.ts";
import { say, sayRefusal } from "./print.ts";

type Handler = (context: Context) => Promise<Output>;

/** What starts checks, and first ends what a killed command left of its own: the others are to be quick. */
const RUNS: ReadonlySet<string> = new Set([
  "ulw-loop prove",
  "ulw-loop record-evidence",
  "ulw-loop checkpoint",
  "ulw-loop record-quality-gate",
  "check",
  "ci",
  "compare",
  "performance-goal create",
  "performance-goal baseline",
  "performance-goal evaluate",
  "performance-goal checkpoint",
  "performance-goal complete",
]);

/** Loaded when called, so that a command pays only for what it uses. */
const HANDLERS: Readonly<Record<string, () => Promise<Handler>>> = {
  "ulw-loop create-goals": async () => (await import("./commands/create.ts")).createGoals,
  "ulw-loop add-goal": async () => (await import("./commands/create.ts")).addGoalCommand,
  goal: async () => (await import("./commands/create.ts")).goalCommand,
  "ulw-loop status": async () => (await import("./commands/status.ts")).status,
  "ulw-loop criteria": async () => (await import("./commands/status.ts")).criteria,
  "ulw-loop next": async () => (await import("./commands/status.ts")).next,
  "ulw-loop list": async () => (await import("./commands/sessions.ts")).list,
  "ulw-loop attach": async () => (await import("./commands/sessions.ts")).attach,
  "ulw-loop cancel": async () => (await import("./commands/sessions.ts")).cancel,
  "ulw-loop complete-goals": async () => (await import("./commands/goals.ts")).completeGoals,
  "ulw-loop checkpoint": async () => (await import("./commands/checkpoint.ts")).checkpointCommand,
  "ulw-loop record-review-blockers": async () => (await import("./commands/goals.ts")).reviewBlockers,
  "ulw-loop record-quality-gate": async () => (await import("./commands/checkpoint.ts")).qualityGate,
  "ulw-loop prove": async () => (await import("./commands/prove.ts")).proveCommand,
  "ulw-loop record-evidence": async () => (await import("./commands/prove.ts")).recordEvidence,
  "ulw-loop steer": async () => (await import("./commands/steer.ts")).steerCommand,
  "ulw-loop waive": async () => (await import("./commands/steer.ts")).waiveCommand,
  "ulw-loop verify": async () => (await import("./commands/integrity.ts")).verify,
  "ulw-loop repair": async () => (await import("./commands/integrity.ts")).repair,
  "ulw-loop import": async () => (await import("./commands/integrity.ts")).importCommand,
  approve: async () => (await import("./commands/approve.ts")).approveCommand,
  init: async () => (await import("./commands/init.ts")).initCommand,
  check: async () => (await import("./commands/check.ts")).checkCommand,
  ci: async () => (await import("./commands/check.ts")).ciCommand,
  "performance-goal create": async () => (await import("./commands/performance-create.ts")).createCommand,
  "performance-goal start": async () => (await import("./commands/performance.ts")).startCommand,
  "performance-goal baseline": async () =>
    (await import("./commands/performance-measure.ts")).baselineCommand,
  "performance-goal evaluate": async () =>
    (await import("./commands/performance-measure.ts")).evaluateCommand,
  "performance-goal checkpoint": async () => (await import("./commands/performance.ts")).checkpointCommand,
  "performance-goal complete": async () => (await import("./commands/performance.ts")).completeCommand,
  "performance-goal status": async () => (await import("./commands/performance.ts")).statusCommand,
  "performance-goal list": async () => (await import("./commands/performance.ts")).listCommand,
  "performance-goal revert": async () => (await import("./commands/performance-measure.ts")).revertCommand,
  "performance-goal plot": async () => (await import("./commands/performance-plot.ts")).plotCommand,
  "performance-goal abandon": async () => (await import("./commands/performance.ts")).abandonCommand,
  "performance-goal verify": async () => (await import("./commands/performance-integrity.ts")).verifyCommand,
  "performance-goal repair": async () => (await import("./commands/performance-integrity.ts")).repairCommand,
  compare: async () => (await import("./commands/compare.ts")).compareCommand,
  install: async () => (await import("./commands/install.ts")).installCommand,
  update: async () => (await import("./commands/install.ts")).updateCommand,
  uninstall: async () => (await import("./commands/install.ts")).uninstallCommand,
  doctor: async () => (await import("./commands/doctor.ts")).doctorCommand,
};

async function run(argv: readonly string[]): Promise<void> {
  const json = argv.includes("--json");
  try {
    if (argv[0] === "--version" || argv[0] === "-v") {
      const { version } = await import("../../package.json");
      return say({ text: version, json: { version } }, json);
    }
    const invocation = parseInvocation(argv);
    if (invocation.command === null || invocation.switches.has("help")) {
      const { helpText } = await import("./help.ts");
      return say(helpText(invocation.topic), json);
    }
    const handler = await HANDLERS[invocation.command.name]?.();
    if (handler === undefined) throw new Error(`no handler for ${invocation.command.name}`);
    const left = RUNS.has(invocation.command.name) ? await (await import("./tidy.ts")).tidy() : {};
    const output = await handler(makeContext(invocation, process.env, currentFolder()));
    say({ ...output, json: { ...output.json, ...left } }, json);
  } catch (error) {
    sayRefusal(error, json);
  }
}

void run(process.argv.slice(2));
