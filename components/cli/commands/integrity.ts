/** `verify`, `repair`, `import`: is the state what the ledger says, and how to get there again. */

import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type Problem, Refusal } from "../../errors.ts";
import { fingerprint } from "../../evidence/fingerprint.ts";
import { findRoot } from "../../evidence/git.ts";
import { ensureStateDir, writeFileAtomic } from "../../journal/safe-fs.ts";
import { cut, shown } from "../../report/text.ts";
import { isIntact } from "../../ulw-loop/artifacts.ts";
import { adopt } from "../../ulw-loop/import.ts";
import type { Plan } from "../../ulw-loop/model.ts";
import { weaken } from "../../ulw-loop/weakening.ts";
import { anchorHolds, changeState, rememberHead, type Workspace } from "../../ulw-loop/workspace.ts";
import { restoreFromCopy } from "../../witness/restore.ts";
import type { Context, Output } from "../context.ts";
import { readBounded } from "../input.ts";

export async function verify(context: Context): Promise<Output> {
  const ws = context.workspace();
  const report = ws.journal.verify();
  const problems: Problem[] = [...report.problems];
  const loaded = report.valid ? ws.journal.read() : null;
  const anchor = ws.witness.anchor(ws.place.dir);
  if (anchor !== null && report.valid && (loaded === null || !anchorHolds(ws, loaded)))
    problems.push({
      where: `line ${anchor.seq}`,
      code: "state_missing",
      message: `the witness store knows this line with hash ${anchor.hash.slice(0, 12)}…; here it is another one or missing`,
    });
  if (loaded !== null) problems.push(...fileProblems(ws, loaded.state));
  const valid = problems.length === 0;
  const damaged = problems.some((p) => p.code !== "artifact_changed");
  const lines = problems.map((p) => `${p.where}: ${cut(shown(p.message), 200)}`);
  return {
    text: valid
      ? `ok: ${report.lines} ledger lines, head ${report.head.hash.slice(0, 12)}`
      : [...lines, damaged ? "next: proofgate ulw-loop repair" : "next: proofgate prove --all"].join("\n"),
    json: {
      valid,
      problems,
      lines: report.lines,
      ledger: report.head,
      ...(valid
        ? {}
        : {
            error: {
              code: damaged ? "state_damaged" : "not_proven",
              message: lines.join("; "),
              nextActions: [damaged ? "proofgate ulw-loop repair" : "proofgate prove --all"],
            },
          }),
    },
    exit: valid ? 0 : damaged ? 3 : 1,
  };
}

/** Artifacts of present passes, and the brief. */
function fileProblems(ws: Workspace, plan: Plan): readonly Problem[] {
  const artifacts = plan.goals.flatMap((g) =>
    g.successCriteria.flatMap((c) =>
      c.status === "pass" ? [{ ref: `${g.id}-${c.id}`, artifact: c.proof.artifact }] : [],
    ),
  );
  const gate = plan.gate === null ? [] : [{ ref: "quality gate", artifact: plan.gate.artifact }];
  return [...artifacts, ...gate]
    .filter(({ artifact }) => !isIntact(ws.place, artifact))
    .map(({ ref, artifact }) => ({
      where: ref,
      code: "artifact_changed",
      message: `${artifact.path} changed after it was recorded, or is gone`,
    }));
}

export async function repair(context: Context): Promise<Output> {
  const ws = context.workspace();
  const tree = await fingerprint(ws.place.root);
  const { commit } = await findRoot(ws.place.root);
  const anchor = ws.witness.anchor(ws.place.dir);
  const restored = restoreFromCopy(ws, "goals.json", (loaded) => anchorHolds(ws, loaded));
  const report = ws.journal.repair({
    recover: (content) =>
      adopt(content, {
        at: ws.now().toISOString(),
        base: { commit, tree: tree.id },
        paths: { goals: ws.place.goalsPath, ledger: ws.place.ledgerPath },
        from: "snapshot",
      }).events,
  });
  const loaded = ws.journal.read();
  const behind = anchor !== null && (loaded === null || !anchorHolds(ws, loaded));
  if (loaded === null && behind && anchor !== null)
    throw new Refusal("state_missing", "The ledger is gone and there is nothing to rebuild it from.", {
      expected: `the ledger of "${anchor.title}", ${anchor.seq} lines`,
      found: "no state files",
      next: [
        "put .omo/ulw-loop back from a backup",
        "proofgate ulw-loop create-goals …  (a new plan; the loss is recorded)",
      ],
    });
  const lost = [
    ...report.lost,
    ...(behind && anchor !== null
      ? [`lines up to ${anchor.seq} that the witness store knew (${anchor.plan})`]
      : []),
  ];
  if (loaded !== null && (behind || report.lost.length > 0)) acceptLoss(ws, lost);
  else if (loaded !== null && report.repaired) rememberHead(ws, loaded);
  const text = [
    ...(restored === null ? [] : [restored]),
    ...(report.repaired || behind || restored !== null
      ? [...report.actions, ...lost.map((l) => `lost: ${l}`)]
      : ["nothing to repair"]),
    ...(report.copies === null ? [] : [`copies of what was replaced: ${report.copies}`]),
    ...(lost.length > 0
      ? ["the user has to approve the loss before the plan can be complete: proofgate approve"]
      : []),
    "next: proofgate status",
  ];
  return {
    text: text.map((line) => cut(shown(line), 300)).join("\n"),
    json: {
      repaired: report.repaired || behind || restored !== null,
      actions: [...(restored === null ? [] : [restored]), ...report.actions],
      lost,
      copies: report.copies,
      ledger: ws.journal.read()?.head ?? null,
      next: { why: "repaired", command: "proofgate status" },
    },
  };
}

/** What was lost is a weakening: lines may have held a failure, an open weakening, a stricter check. */
function acceptLoss(ws: Workspace, lost: readonly string[]): void {
  const what = `ledger repaired; lost ${lost.join("; ")}`.slice(0, 300);
  const { loaded } = ws.journal.commit("repair", (now) => {
    const plan = now?.state;
    // A plan recovered from its snapshot already carries this weakening.
    if (plan === undefined || plan.weakenings.some((w) => w.kind === "rolled_back" && !w.approved))
      return { events: [], result: null };
    return { events: [weaken(plan.weakenings.length, "rolled_back", what)], result: null };
  });
  rememberHead(ws, loaded);
}

/** Another tool's files are moved aside, whole, and a ledger of ours begins with their goals, every pass reset. */
export async function importCommand(context: Context): Promise<Output> {
  const ws = context.workspace();
  const { dir, root } = ws.place;
  if (isOurs(ws))
    throw new Refusal("plan_exists", "The state here is Proofgate's own already.", {
      expected: "another tool's goals.json",
      found: "a ledger of ours",
      next: ["proofgate status", "proofgate ulw-loop repair  (if it is damaged)"],
    });
  const path = join(dir, "goals.json");
  if (!existsSync(path))
    throw new Refusal("no_plan", "There is nothing to import.", {
      expected: `${ws.place.goalsPath} of another tool`,
      found: "no such file",
      next: ["proofgate ulw-loop create-goals --plan .proofgate/plan.yaml"],
    });
  const content = parse(readBounded(path, root, 20 * 1024 * 1024).toString("utf8"));
  const tree = await fingerprint(root);
  const { commit } = await findRoot(root);
  const adopted = adopt(content, {
    at: ws.now().toISOString(),
    base: { commit, tree: tree.id },
    paths: { goals: ws.place.goalsPath, ledger: ws.place.ledgerPath },
    from: "import",
  });
  const copies = `imported-${ws.now().toISOString().replace(/[:.]/g, "-")}`;
  mkdirSync(join(dir, copies), { recursive: true });
  for (const name of readdirSync(dir))
    if (name !== copies && name !== "lock") renameSync(join(dir, name), join(dir, copies, name));
  ensureStateDir(root, dir, { track: false });
  const { loaded } = changeState(ws, "import", () => ({ events: adopted.events, result: null }));
  writeFileAtomic(join(dir, "brief.md"), `${loaded.state.deliverable || loaded.state.title}\n`);
  const goals = loaded.state.goals;
  return {
    text: [
      `Imported ${goals.length} goals; every pass is reset, and the other tool's files are in ${copies}.`,
      ...goals.slice(0, 12).map((g) => `  ${g.id} ${shown(g.title)}`),
      "next: proofgate ulw-loop complete-goals",
    ].join("\n"),
    json: {
      goals: goals.map(({ id, title }) => ({ id, title })),
      copies,
      ledger: loaded.head,
      next: { why: "imported", command: "proofgate ulw-loop complete-goals" },
    },
  };
}

/** @returns false for another tool's files, and for none */
function isOurs(ws: Workspace): boolean {
  try {
    return ws.journal.read() !== null;
  } catch (error) {
    if (error instanceof Refusal && error.code === "foreign_state") return false;
    throw error;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal("json_invalid", "goals.json does not parse.", {
      expected: "JSON",
      found: `${error instanceof Error ? error.message : "no JSON"}`,
      next: ["mend the file, or move it away and create a plan"],
    });
  }
}
