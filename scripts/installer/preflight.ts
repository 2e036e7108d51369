/** What tonight's plan needs from this machine, and whether it is there: programs, sockets, time, approvals. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { resolvePrograms } from "../../components/evidence/environment.ts";
import type { Command } from "../../components/evidence/types.ts";
import { countedGoals, criterionRef } from "../../components/ulw-loop/model.ts";
import { readPlan, type Workspace } from "../../components/ulw-loop/workspace.ts";
import { readToml, table } from "./config-text.ts";
import { textIf } from "./files.ts";
import { bad, type Finding, note, ok } from "./finding.ts";
import type { Spots } from "./spots.ts";

/** A command that the plan will run. */
interface Planned {
  readonly ref: string;
  readonly run: Command;
  readonly cwd: string;
  readonly channel: string;
  readonly timeoutMs: number | null;
}

/** Signs that a command listens or connects. A guess: a check may do so deep in a test suite. */
const SOCKETS =
  /\b(curl|wget|nc|netcat|telnet|tmux|playwright|puppeteer|cypress|chromium|redis-cli|psql|mysql|docker|serve|http-server|vite|next|uvicorn|gunicorn|flask|runserver)\b|localhost|127\.0\.0\.1|0\.0\.0\.0|https?:\/\//;
const SOCKET_CHANNELS = new Set(["http", "tmux", "browser", "computer"]);

export async function preflight(spots: Spots, ws: Workspace): Promise<Finding[]> {
  const planned = await plannedCommands(ws);
  if (planned.length === 0)
    return [
      bad(
        "plan",
        "no plan with a check in this repository",
        "proofgate ulw-loop create-goals --plan .proofgate/plan.yaml",
      ),
    ];
  return [...programs(ws, planned), ...sockets(spots, ws, planned), duration(ws, planned), approval(spots)];
}

/** Of the open plan; before there is one, of the plan file. */
async function plannedCommands(ws: Workspace): Promise<Planned[]> {
  const plan = readPlan(ws)?.state;
  if (plan !== undefined) {
    const checks = countedGoals(plan).flatMap((goal) =>
      goal.successCriteria.flatMap((criterion) =>
        criterion.check === null ? [] : [{ ref: criterionRef(goal, criterion), ...criterion.check }],
      ),
    );
    return [...checks, ...withoutFolder("verify", plan.verify), ...withoutFolder("setup", plan.setup)];
  }
  const path = join(ws.place.root, ".proofgate", "plan.yaml");
  const text = textIf(path);
  if (text === null) return [];
  const { parsePlanFile } = await import("../../components/ulw-loop/plan-file.ts");
  const draft = parsePlanFile(text, {
    dir: join(ws.place.root, ".proofgate"),
    readFile: (file) => readFileSync(join(ws.place.root, ".proofgate", file)),
  });
  const checks = draft.goals.flatMap((goal, index) =>
    goal.criteria.flatMap(({ check }, number) =>
      check === null ? [] : [{ ref: `goal ${index + 1}, criterion ${number + 1}`, ...check }],
    ),
  );
  return [...checks, ...withoutFolder("verify", draft.verify), ...withoutFolder("setup", draft.setup)];
}

const withoutFolder = (ref: string, commands: readonly Command[]): Planned[] =>
  commands.map((run) => ({ ref, run, cwd: "", channel: "cli", timeoutMs: null }));

function programs(ws: Workspace, planned: readonly Planned[]): Finding[] {
  const missing = new Map<string, string[]>();
  const found = new Set<string>();
  for (const { ref, run, cwd } of planned)
    for (const { name, path } of resolvePrograms(run, ws.env.PATH ?? "", join(ws.place.root, cwd)))
      if (path !== null) found.add(name);
      // A script of the repository may be what the work is to write.
      else if (!name.includes("/")) missing.set(name, [...(missing.get(name) ?? []), ref]);
  return [
    ...(found.size > 0 ? [ok("programs", [...found].sort().join(", "))] : []),
    ...[...missing].map(([name, refs]) =>
      bad(
        `program ${name}`,
        `not on PATH; needed by ${[...new Set(refs)].join(" ")}`,
        `install ${name}, or put it on PATH`,
      ),
    ),
  ];
}

function sockets(spots: Spots, ws: Workspace, planned: readonly Planned[]): Finding[] {
  const needing = planned
    .filter(({ run, channel }) => SOCKET_CHANNELS.has(channel) || SOCKETS.test([run].flat().join(" ")))
    .map(({ ref }) => ref);
  if (needing.length === 0) return [ok("sockets", "no check seems to need any")];
  const refs = [...new Set(needing)].join(" ");
  const mend =
    "codex -c sandbox_workspace_write.network_access=true  (for one session; yours to decide), or approve these commands one by one";
  const closed = (why: string): Finding[] => [bad("sockets", `${refs} seem to need them, and ${why}`, mend)];
  if ((ws.env.CODEX_SANDBOX_NETWORK_DISABLED ?? "") !== "")
    return closed("this shell runs in a sandbox that forbids them, loopback too");
  const text = textIf(spots.config);
  const config = text === null ? {} : readToml(text, spots.config);
  const mode = typeof config.sandbox_mode === "string" ? config.sandbox_mode : "workspace-write";
  if (
    mode === "danger-full-access" ||
    (mode === "workspace-write" && table(config.sandbox_workspace_write).network_access === true)
  )
    return [ok("sockets", `${refs} seem to need them, and sandbox_mode ${mode} lets them`)];
  return closed(`the sandbox (${mode}) forbids them, loopback too`);
}

/** From the receipts in the ledger; what never ran counts with its time limit. */
function duration(ws: Workspace, planned: readonly Planned[]): Finding {
  const ran = new Map<string, number>();
  for (const line of (textIf(join(ws.place.dir, "ledger.jsonl")) ?? "").split("\n")) {
    if (!line.includes('"criterion_ran"')) continue;
    const events = table(parse(line)).events;
    for (const { goal, criterion, receipt } of (Array.isArray(events) ? events : []).map(table)) {
      const ms = table(receipt).durationMs;
      if (typeof ms === "number") ran.set(`${goal}-${criterion}`, ms);
    }
  }
  const slowest = planned.flatMap(({ ref }) => {
    const ms = ran.get(ref);
    return ms === undefined ? [] : [{ ref, ms }];
  });
  const [worst] = slowest.sort((a, b) => b.ms - a.ms);
  const never = planned.filter(({ ref, timeoutMs }) => timeoutMs !== null && !ran.has(ref)).length;
  if (worst === undefined) return note("time", `no check has run yet; proofgate prove --try --all tells`);
  const total = slowest.reduce((sum, { ms }) => sum + ms, 0);
  return note(
    "time",
    `slowest check ${worst.ref}, ${seconds(worst.ms)}; all that ran together ${seconds(total)}${never > 0 ? `; ${never} never ran` : ""}`,
  );
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Only said: how much the host may do unasked is the user's to set. */
function approval(spots: Spots): Finding {
  const text = textIf(spots.config);
  const config = text === null ? {} : readToml(text, spots.config);
  const say = (key: string): string => (typeof config[key] === "string" ? config[key] : "the host's default");
  return note(
    "approvals",
    `approval_policy ${say("approval_policy")}, sandbox_mode ${say("sandbox_mode")} (${spots.config})`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
