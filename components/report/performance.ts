/** Performance goals as people and models read them: the board, one evaluation, the list. */

import { type Present, staleness } from "../performance-goal/fresh.ts";
import type { Contract, Evaluation, Measured, PerformanceGoal } from "../performance-goal/model.ts";
import type { Next } from "../performance-goal/steps.ts";
import { changeText } from "./measured.ts";
import { amount, cut, duration, plural, shown } from "./text.ts";

const WORDS: Readonly<Record<Evaluation["word"], string>> = {
  improved: "IMPROVED",
  regressed: "REGRESSED",
  same: "NO CHANGE",
  inconclusive: "INCONCLUSIVE",
  invalid: "INVALID",
  holds: "HOLDS",
  fails: "FAILS",
};

/** What came of one evaluation, in a few lines. */
export function evaluationText(evaluation: Evaluation, contract: Contract): string {
  const { first, again, versusKept, guards } = evaluation;
  const lines = [
    ...(first === null ? [] : [changeText(first)]),
    ...(again === null ? [] : [`  again  ${changeText(again)}`]),
    ...versusKept.map((one) => `  against what is kept  ${changeText(one)}`),
    verdictLine(evaluation, contract),
    [
      ...guards.map(({ command, failed }) => `${shown(command)} ${failed === null ? "ok" : "FAILED"}`),
      ...(contract.guards.length === 0 ? ["no guard"] : []),
      ...(evaluation.reason?.startsWith("the evaluator changed") ? [] : ["evaluator unchanged"]),
    ].join(" · "),
    ...evaluation.doubts.map((doubt) => `doubt: ${shown(doubt)}`),
  ];
  return lines
    .filter((line) => line !== "")
    .map((line) => cut(line, 300))
    .join("\n");
}

/** As it was written, with a true minus. */
const targetText = (target: { readonly text: string }): string => shown(target.text.replace(/^-/, "−"));

function verdictLine(evaluation: Evaluation, contract: Contract): string {
  const { word, reason, first, again, met, kept } = evaluation;
  const target = contract.measure?.target ?? null;
  const head = WORDS[word];
  if (reason !== null) return `${head}: ${shown(reason)}`;
  if (first === null) return head;
  const worse = evaluation.versusKept.some((one) => one.word === "regressed");
  const isKept = kept ? ", kept" : worse ? ", WORSE THAN WHAT IS KEPT" : "";
  if (met)
    return `${head}${target === null ? "" : `, TARGET MET: ${targetText(target)}`}, confirmed${isKept}`;
  if (target !== null && first.target === "met")
    return `${head}, NOT CONFIRMED: ${targetText(target)} was met once, and not when it was measured again`;
  if (again !== null && again.word !== first.word)
    return `${head}, NOT CONFIRMED: measured again it is ${WORDS[again.word].toLowerCase()}`;
  if (target === null || word === "regressed") return `${head}${isKept}`;
  if (first.target === "missed")
    return `${head}, TARGET MISSED: ${targetText(target)} ${first.exact ? "is not reached" : "lies beyond the interval"}${isKept}`;
  const where =
    first.interval === null ? "too few pairs to say" : `${targetText(target)} lies inside the interval`;
  return `${head}, TARGET OPEN: ${where}${isKept}`;
}

/** The state of one goal. */
export function goalBoard(board: {
  readonly goal: PerformanceGoal;
  readonly present: Present;
  readonly next: Next;
  readonly now: number;
  readonly armedAt: number | null;
  readonly remarks: readonly string[];
}): string {
  const { goal, present, next } = board;
  const { contract, latest, lastValidation, kept } = goal;
  const { measure } = contract;
  const armed =
    board.armedAt === null
      ? "gate NOT SEEN"
      : `gate ARMED (hook seen ${duration(Math.max(0, board.now - board.armedAt))} ago)`;
  const age = board.now - Date.parse(goal.createdAt);
  const lines = [
    `${shown(goal.slug)}: ${cut(shown(goal.title), 80)}      ${goal.status} · ${armed} · ${duration(age)}`,
    measure === null
      ? `  contract  \`${shown(contract.command)}\` exits 0, and did not on the base (no metric is judged)`
      : `  contract  ${shown(measure.metric)} of \`${shown(contract.command)}\`: ${measure.target === null ? "any improvement" : targetText(measure.target)} against ${goal.base.slice(0, 12)}`,
    ...(goal.baseline === null ? [] : [`  baseline  ${baselineText(goal.baseline.measured)}`]),
    ...(latest === null ? [] : [`  latest    ${summary(latest)}${suffix(staleness(goal, latest, present))}`]),
    ...(kept === null
      ? []
      : [
          `  kept      tree ${kept.tree.slice(0, 12)}${kept.tree === present.tree.id ? ", as it is now" : ""}`,
        ]),
    `  check     ${validationText(goal, present)}`,
    ...goal.weakenings.map(
      (one) => `  ${one.approved ? "approved" : "WAITS FOR THE USER"}: ${cut(shown(one.what), 160)}`,
    ),
    ...board.remarks.map((remark) => `  note: ${shown(remark)}`),
    `${plural(goal.evaluations, "evaluation")}, ${duration(goal.spentMs)} of measuring · contract by the ${goal.author}${lastValidation === null ? "" : ` · checkpoint ${duration(Math.max(0, board.now - Date.parse(lastValidation.recordedAt)))} ago`}`,
    `next: ${next.command}      (${shown(next.why)})`,
  ];
  return lines.map((line) => cut(line, 300)).join("\n");
}

const suffix = (stale: string | null): string => (stale === null ? "" : `   STALE: ${shown(stale)}`);

const summary = ({ word, first, reason, met }: Evaluation): string =>
  reason !== null
    ? `${WORDS[word]}: ${cut(shown(reason), 140)}`
    : first === null
      ? WORDS[word]
      : `${WORDS[word]}${met ? ", target met" : ""}   ${changeText(first)}`;

function validationText(goal: PerformanceGoal, present: Present): string {
  const { lastValidation, passed } = goal;
  if (lastValidation === null) return "none yet";
  const stale = passed === null ? null : staleness(goal, passed, present);
  return `${lastValidation.status}${suffix(stale)}   "${cut(shown(lastValidation.evidence), 100)}"`;
}

/** What the base is worth, and what this machine cannot see. */
export function baselineText(measured: Measured): string {
  const { interval, noise, pairs, tookMs } = measured;
  const seen =
    interval === null
      ? ""
      : `, nothing below ${percentOf(Math.max(Math.abs(interval.low), Math.abs(interval.high)))} is seen`;
  return `${amountOf(measured.base)}${measured.unit === "" ? "" : ` ${measured.unit}`}, noise ${percentOf(noise)}${seen} (${plural(pairs, "pair")}, ${duration(tookMs)})`;
}

const percentOf = (log: number): string => `${(100 * Math.expm1(log)).toFixed(1)} %`;
const amountOf = (value: number): string =>
  value >= 10_000 ? amount(value) : String(Number(value.toPrecision(3)));

export function goalsList(
  goals: readonly {
    readonly slug: string;
    readonly status: string;
    readonly title: string;
    readonly said: string;
  }[],
): string {
  const longest = Math.max(8, ...goals.map(({ slug }) => slug.length));
  return goals.length === 0
    ? "no performance goals in this repository"
    : goals
        .map(
          ({ slug, status, title, said }) =>
            `${slug.padEnd(longest)}  ${status.padEnd(9)}  ${said.padEnd(8)}  ${cut(shown(title), 60)}`,
        )
        .join("\n");
}
