/** `doctor`: is the gate in place and able to run, is the state here healthy, is tonight's plan provided for. */

import { examine, fromRefusal } from "../../../scripts/installer/doctor.ts";
import { exists } from "../../../scripts/installer/files.ts";
import { bad, type Finding, isHealthy, note, ok } from "../../../scripts/installer/finding.ts";
import { onPath } from "../../../scripts/installer/host.ts";
import { type Spots, spotsOf } from "../../../scripts/installer/spots.ts";
import { cut, pad, shown } from "../../report/text.ts";
import type { Context, Output } from "../context.ts";

export async function doctorCommand(context: Context): Promise<Output> {
  const spots = spotsOf(context.env);
  const findings: Finding[] = [...(await hosts(context, spots)), await stateHere(context)];
  if (context.has("preflight"))
    try {
      const { preflight } = await import("../../../scripts/installer/preflight.ts");
      findings.push(...(await preflight(spots, context.workspace())));
    } catch (error) {
      findings.push(fromRefusal("plan", error));
    }
  const healthy = isHealthy(findings);
  const mends = [...new Set(findings.flatMap(({ mend }) => mend ?? []))];
  return {
    text: [
      ...findings.map(line),
      healthy ? "healthy: the gate is in place" : `NOT HEALTHY\nnext: ${mends[0] ?? "proofgate help doctor"}`,
    ].join("\n"),
    json: {
      healthy,
      findings,
      ...(healthy
        ? {}
        : {
            error: {
              code: "unhealthy",
              message: findings
                .filter(({ status }) => status === "bad")
                .map(({ what, found }) => `${what}: ${found}`)
                .join("; "),
              nextActions: mends,
            },
          }),
    },
    exit: healthy ? 0 : 1,
  };
}

/** Codex, OpenCode, or both. One that is there without us is no fault where the other is set up. */
async function hosts(context: Context, spots: Spots): Promise<Finding[]> {
  const { concernsOpenCode, examineOpenCode } = await import("../../../scripts/installer/opencode/doctor.ts");
  const { openCodeSpots } = await import("../../../scripts/installer/opencode/spots.ts");
  const other = openCodeSpots(context.env);
  const root = context.root();
  if (!concernsOpenCode(other)) return examine(spots, context.env, root);
  const forCodex = exists(spots.record) || exists(spots.market);
  const second = await examineOpenCode(other, context.env, root, !forCodex);
  const here = second.some(({ what, status }) => what === "OpenCode plugin" && status === "ok");
  if (!forCodex && (here || exists(other.record) || onPath("codex", spots.path) === null))
    return [note("Codex", "not set up for Codex: proofgate install codex"), ...second];
  const known = await examine(spots, context.env, root);
  // What is said of both is said once.
  const said = new Set(known.map(({ what, found }) => `${what}: ${found}`));
  return [...known, ...second.filter(({ what, found }) => !said.has(`${what}: ${found}`))];
}

function line({ what, status, found, mend }: Finding): string {
  const head = `${pad(status === "bad" ? "BAD" : status, 6)}${shown(what)}: ${cut(shown(found), 300)}`;
  return mend === undefined ? head : `${head}\n        mend: ${shown(mend)}`;
}

/** The repository that the doctor was called in. */
async function stateHere(context: Context): Promise<Finding> {
  const what = "state of this repository";
  try {
    const { journal, witness, place } = context.workspace();
    // State that the witness knows and that is gone is not the same as none.
    if (!journal.exists() && witness.anchor(place.dir) === null) return note(what, "no plan here");
    const { verify } = await import("./integrity.ts");
    const { text, exit } = await verify(context);
    if ((exit ?? 0) === 0) return ok(what, text);
    const lines = text.split("\n");
    const next = lines.findLast((words) => words.startsWith("next: "))?.slice("next: ".length);
    return bad(what, lines[0] ?? "", next ?? "proofgate ulw-loop repair");
  } catch (error) {
    return fromRefusal(what, error);
  }
}
