/** The course of an optimisation in a terminal: a row a point, on one scale. */

import {
  baselineOf,
  figure,
  isGood,
  labelText,
  metricText,
  NOTHING_YET,
  type Plot,
  type PlotPoint,
  readingOf,
  type Scale,
  scaleOf,
  sideOf,
  targetOf,
  ticks,
  tickText,
  times,
  unitText,
} from "./plot.ts";
import { cut, pad, shown, width as widthOf } from "./text.ts";

/** Less than this shows nothing; the time goes first, then the track. */
const LEAST_TRACK = 12;
/** Beside less than this a note would take what the track needs. */
const NOTES_FROM = 48;

export function plotText(plot: Plot, width: number): string {
  if (plot.points.length === 0) return wrapped(NOTHING_YET.split(" "), " ", width).join("\n");
  const scale = scaleOf(plot);
  return [shown(plot.title), ...wrapped(legend(plot, scale), " · ", width), ...rows(plot, scale, width)]
    .map((line) => cut(line.trimEnd(), width))
    .join("\n");
}

function legend(plot: Plot, scale: Scale | null): readonly string[] {
  const line = (mark: string, name: string, value: number | null): readonly string[] =>
    value === null || scale === null ? [] : [`${mark} ${name} ${figure(scale, value)}`];
  return [
    metricText(plot),
    `${plot.better} is better`,
    ...line("│", "baseline", baselineOf(plot)),
    ...line("┊", "target", targetOf(plot)),
    ...(scale?.log ? ["log scale"] : []),
  ];
}

function rows(plot: Plot, scale: Scale | null, width: number): readonly string[] {
  const { points } = plot;
  const measured = points.map((point) => readingOf(point) !== null);
  const labels = column(points.map(labelText));
  const values = column(valueTexts(plot, scale));
  const clock = column(["UTC", ...times(points)]);
  const used = (cells: readonly (readonly string[])[]): number =>
    cells.reduce((sum, [cell = ""]) => sum + widthOf(cell) + 2, 0);
  const timed = width - used([clock, labels, values]) >= LEAST_TRACK;
  const [heading = "", ...hours] = timed ? clock : [];
  const rest = width - used(timed ? [clock, labels, values] : [labels, values]);

  const noted = points.some(({ note }, index) => note !== "" && measured[index]);
  const longest = Math.max(...points.map(({ note }) => widthOf(shown(note))));
  const drawn = scale !== null && measured.includes(true) && rest >= LEAST_TRACK;
  const notes = drawn && noted && rest >= NOTES_FROM ? Math.min(longest, Math.floor(rest * 0.45)) : 0;
  const columns = rest - (notes === 0 ? 0 : notes + 2);
  const cells = (point: PlotPoint, index: number): readonly string[] => {
    const note = shown(point.note);
    // Where there is no column for notes, the empty track of a point without a value has room for why it has none.
    if (!drawn || (notes === 0 && !measured[index] && note !== "")) return [note];
    return notes === 0 ? [track(plot, scale, point, columns)] : [track(plot, scale, point, columns), note];
  };
  const before = " ".repeat(width - rest);
  return [
    ...(drawn
      ? axis(scale, columns).map((line, i) => pad(i === 0 ? heading : "", before.length) + line)
      : []),
    ...points.map((point, index) =>
      [...(timed ? [hours[index] ?? ""] : []), labels[index], values[index], ...cells(point, index)].join(
        "  ",
      ),
    ),
  ];
}

/** All of the same width. */
function column(texts: readonly string[]): readonly string[] {
  const columns = Math.max(...texts.map(widthOf));
  return texts.map((text) => pad(text, columns));
}

function valueTexts(plot: Plot, scale: Scale | null): readonly string[] {
  const unit = plot.unit === "" ? "" : ` ${unitText(plot)}`;
  const numbers = plot.points.map((point) => {
    const reading = readingOf(point);
    return reading === null || scale === null ? "" : figure(scale, reading.value);
  });
  const columns = Math.max(...numbers.map((number) => number.length));
  return numbers.map((number) => (number === "" ? "" : number.padStart(columns) + unit));
}

/** The numbers, and below them where they stand. */
function axis(scale: Scale, columns: number): readonly string[] {
  let numbers = "";
  const line = Array.from({ length: columns }, () => "─");
  for (const tick of ticks(scale, Math.min(5, Math.max(2, Math.floor(columns / 12))))) {
    const text = tickText(tick);
    const at = place(scale, tick, columns);
    const start = Math.min(columns - text.length, Math.max(0, at - Math.floor(text.length / 2)));
    if (numbers !== "" && start < numbers.length + 2) continue;
    numbers = pad(numbers, start) + text;
    line[at] = "┬";
  }
  return [numbers, line.join("")];
}

/** What lies outside stands at the edge. */
const place = (scale: Scale, value: number, columns: number): number =>
  Math.round(Math.min(1, Math.max(0, scale.at(value))) * (columns - 1));

function track(plot: Plot, scale: Scale, point: PlotPoint, columns: number): string {
  const cells = Array.from({ length: columns }, () => " ");
  for (const [mark, value] of [
    ["│", baselineOf(plot)],
    ["┊", targetOf(plot)],
  ] as const)
    if (value !== null) cells[place(scale, value, columns)] = mark;
  const reading = readingOf(point);
  if (reading === null) return cells.join("");
  const low = place(scale, reading.low, columns);
  const high = place(scale, reading.high, columns);
  for (let i = low; i <= high; i++) cells[i] = cells[i] === " " ? "─" : "┼";
  cells[low] = outside(scale, reading.low) ?? "├";
  cells[high] = outside(scale, reading.high) ?? "┤";
  cells[place(scale, reading.value, columns)] =
    outside(scale, reading.value) ?? (isGood(point) ? "●" : point.kind === "evaluated" ? "○" : "×");
  return cells.join("");
}

/** An arrow to where it lies. */
function outside(scale: Scale, value: number): string | null {
  const side = sideOf(scale, value);
  return side === 0 ? null : side < 0 ? "←" : "→";
}

/** As many parts on a line as fit. */
function wrapped(parts: readonly string[], separator: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const longer = `${lines.at(-1) ?? ""}${separator}${part}`;
    if (lines.length > 0 && widthOf(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines;
}
