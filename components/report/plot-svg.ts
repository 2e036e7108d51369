/** The course of an optimisation as one SVG document: no script, nothing from elsewhere, the same bytes for the same plot. */

import {
  baselineOf,
  figure,
  isGood,
  labelText,
  metricText,
  NOTHING_YET,
  type Plot,
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
import { arrow, COLOURS, KINDS, mark, QUIET, whisker } from "./plot-marks.ts";
import { type Attributes, escaped, short, tag, text } from "./svg.ts";
import { cut, plural, shown, width as widthOf } from "./text.ts";

const WIDTH = 960;
const HEIGHT = 480;
const TOP = 108;
/** Above the times and what they are. */
const FOOT = HEIGHT - 56;
/** A strip below the scale, for points without a value. */
const STRIP = 34;
/** A column of 12 px text in a wide sans-serif, for fonts are not known here. */
const COLUMN = 7.4;
const LINE_HEIGHT = 15;
const INK = "#1f2328";
const NO_VALUE = "no value";

/** What stands in the right margin, at the height of its value. */
interface Label {
  readonly name: string;
  readonly value: number;
  readonly colour: string;
  readonly words: string;
}

interface Picture {
  readonly plot: Plot;
  readonly scale: Scale | null;
  readonly labels: readonly Label[];
  readonly times: readonly string[];
  readonly left: number;
  readonly right: number;
  /** The lower end of the scale. */
  readonly bottom: number;
  readonly radius: number;
  readonly x: (index: number) => number;
  /** What lies outside stands at the edge. */
  readonly y: (value: number) => number;
}

export function plotSvg(plot: Plot): string {
  const picture = layOut(plot);
  const points = plot.points.map((point, index) => ({
    drawn: drawPoint(picture, index),
    good: isGood(point),
  }));
  const drawn = (good: boolean): readonly string[] =>
    points.filter((point) => point.good === good).map((point) => point.drawn);
  const about = `${metricText(plot)}, ${plot.better} is better`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12" fill="${INK}">`,
    `<title>${escaped(cut(shown(plot.title), 300))}</title>`,
    `<desc>${escaped(description(picture, about))}</desc>`,
    // A page may be dark; the picture brings its own ground.
    tag("rect", { width: WIDTH, height: HEIGHT, rx: 6, fill: "#ffffff" }),
    text(24, 34, cut(shown(plot.title), 80), { "font-size": 16, "font-weight": "bold" }),
    text(24, 56, `${about}${picture.scale?.log ? ", on a logarithmic scale" : ""}`, { fill: QUIET }),
    ...(points.length === 0
      ? [text(WIDTH / 2, HEIGHT / 2, NOTHING_YET, { "text-anchor": "middle" })]
      : [
          ...legend(plot),
          ...axes(picture),
          ...lines(picture),
          // What was kept lies above the tries around it.
          ...drawn(false),
          ...keptLine(picture),
          ...drawn(true),
        ]),
    "</svg>\n",
  ].join("\n");
}

function layOut(plot: Plot): Picture {
  const scale = scaleOf(plot);
  const missing = plot.points.some((point) => readingOf(point) === null);
  const labels = labelsOf(plot, scale);
  const room = (texts: readonly string[]): number => Math.max(0, ...texts.map(widthOf)) * COLUMN;
  const left = 32 + room([unitText(plot), ...(scale === null ? [] : ticks(scale, 5).map(tickText))]);
  const right = WIDTH - 32 - room([...labels.map(({ words }) => words), ...(missing ? [NO_VALUE] : [])]);
  const bottom = FOOT - (missing ? STRIP : 0);
  const last = plot.points.length - 1;
  const step = (right - left - 48) / Math.max(1, last);
  // Marks at the ends of the scale stay clear of the frame.
  const [low, high] = [bottom - 12, TOP + 12];
  return {
    plot,
    scale,
    labels,
    times: times(plot.points),
    left,
    right,
    bottom,
    radius: Math.min(5, Math.max(2, step / 2.5)),
    x: (index) => (last === 0 ? (left + right) / 2 : left + 24 + index * step),
    y: (value) => low - Math.min(1, Math.max(0, scale?.at(value) ?? 0)) * (low - high),
  };
}

const amount = (plot: Plot, scale: Scale, value: number): string =>
  `${figure(scale, value)}${plot.unit === "" ? "" : ` ${unitText(plot)}`}`;

function labelsOf(plot: Plot, scale: Scale | null): readonly Label[] {
  const last = plot.points.findLast((point) => isGood(point) && readingOf(point) !== null);
  return [
    { name: "baseline", value: baselineOf(plot), colour: INK },
    { name: "target", value: targetOf(plot), colour: COLOURS.passed },
    { name: "last kept", value: last?.value ?? null, colour: COLOURS.kept },
  ].flatMap(({ name, value, colour }) =>
    scale === null || value === null
      ? []
      : [{ name, value, colour, words: `${name} ${amount(plot, scale, value)}` }],
  );
}

function description({ plot, labels }: Picture, about: string): string {
  if (plot.points.length === 0) return `${about}. ${NOTHING_YET}`;
  const counts = KINDS.map((kind) => ({ kind, count: plot.points.filter((p) => p.kind === kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => `${count} ${kind}`);
  const points = `${plural(plot.points.length, "point")}: ${counts.join(", ")}`;
  return [about, ...labels.map(({ words }) => words), points].map((part) => `${part}.`).join(" ");
}

function legend(plot: Plot): readonly string[] {
  let x = 30;
  return KINDS.filter((kind) => plot.points.some((point) => point.kind === kind)).flatMap((kind) => {
    const at = x;
    x += 30 + kind.length * COLUMN;
    return [mark(kind, at, 78, 5), text(at + 11, 82, kind)];
  });
}

function axes(picture: Picture): readonly string[] {
  const { plot, scale, left, right, bottom, x, y } = picture;
  const line = (x1: number, y1: number, x2: number, y2: number, stroke = QUIET): string =>
    tag("line", { x1, y1, x2, y2, stroke });
  const beside = { "text-anchor": "end", fill: QUIET };
  const below = { "text-anchor": "middle", fill: QUIET };
  // As many times as fit beside each other.
  const column = (Math.max(...picture.times.map(widthOf)) + 3) * COLUMN;
  const every = Math.ceil((plot.points.length * column) / (right - left));
  return [
    ...(scale === null ? [] : ticks(scale, 5)).flatMap((tick) => [
      line(left, y(tick), right, y(tick), "#d8dee4"),
      text(left - 8, y(tick) + 4, tickText(tick), beside),
    ]),
    text(left - 8, TOP - 4, unitText(plot), beside),
    line(left, TOP, left, bottom),
    line(left, bottom, right, bottom),
    ...(bottom === FOOT
      ? []
      : [line(left, FOOT, right, FOOT), text(right + 8, FOOT - STRIP / 2 + 4, NO_VALUE, { fill: QUIET })]),
    ...picture.times.flatMap((time, index) =>
      index % every === 0
        ? [line(x(index), FOOT, x(index), FOOT + 5), text(x(index), FOOT + 19, time, below)]
        : [],
    ),
    text((left + right) / 2, HEIGHT - 14, "in the order of the measurements, times in UTC", below),
  ];
}

/** Baseline and target, and every label of the margin. */
function lines({ labels, left, right, bottom, y }: Picture): readonly string[] {
  const sorted = labels.toSorted((a, b) => y(a.value) - y(b.value));
  // Labels that would lie upon each other are moved down, and up again where the margin ends.
  const heights: number[] = [];
  for (const { value } of sorted)
    heights.push(Math.max(y(value), (heights.at(-1) ?? -LINE_HEIGHT) + LINE_HEIGHT));
  const heightOf = (index: number): number =>
    Math.min(heights[index] ?? 0, bottom - 4 - (sorted.length - 1 - index) * LINE_HEIGHT);
  return sorted.map(({ name, value, colour, words }, index) => {
    const at = y(value);
    const dash: Attributes = name === "target" ? { "stroke-dasharray": "6 4" } : {};
    const line = tag("line", {
      x1: left,
      y1: at,
      x2: right,
      y2: at,
      stroke: colour,
      "stroke-width": 1.5,
      ...dash,
    });
    return `${name === "last kept" ? "" : line}${text(right + 8, heightOf(index) + 4, words, { fill: colour })}`;
  });
}

/** From what was kept to what was kept next: the course itself. Dotted from there on: what there is now. */
function keptLine({ plot, right, x, y }: Picture): readonly string[] {
  const stops = plot.points.flatMap((point, index) => {
    const reading = readingOf(point);
    return isGood(point) && reading !== null ? [{ x: x(index), y: y(reading.value) }] : [];
  });
  const last = stops.at(-1);
  if (last === undefined) return [];
  const look = { stroke: COLOURS.kept, "stroke-width": 1.5 };
  return [
    tag("polyline", {
      points: stops.map((stop) => `${short(stop.x)},${short(stop.y)}`).join(" "),
      fill: "none",
      ...look,
    }),
    tag("line", { x1: last.x, y1: last.y, x2: right, y2: last.y, "stroke-dasharray": "2 3", ...look }),
  ];
}

function drawPoint(picture: Picture, index: number): string {
  const { plot, scale, radius, y } = picture;
  const point = plot.points[index];
  if (point === undefined) return "";
  const x = picture.x(index);
  const reading = readingOf(point);
  const value = scale === null || reading === null ? NO_VALUE : amount(plot, scale, reading.value);
  const words = [picture.times[index] ?? "", labelText(point), value, cut(shown(point.note), 300)];
  const colour = COLOURS[point.kind];
  const drawn: string[] = [];
  if (scale === null || reading === null) drawn.push(mark(point.kind, x, FOOT - STRIP / 2, radius));
  else if (sideOf(scale, reading.value) === 0) {
    const [low, high] = [end(reading.low), end(reading.high)];
    drawn.push(whisker(x, low, high, radius, colour), mark(point.kind, x, y(reading.value), radius));
  } else {
    const up = sideOf(scale, reading.value) > 0;
    const edge = up ? TOP + 2 : picture.bottom - 2;
    // The number says how far away it is; it stands on the side where there is room.
    const before = x > (picture.left + picture.right) / 2;
    const halo = { fill: colour, stroke: "#ffffff", "stroke-width": 3, "paint-order": "stroke" };
    const anchor = { "text-anchor": before ? "end" : "start" };
    drawn.push(arrow(x, edge, up, colour));
    drawn.push(text(x + (before ? -9 : 9), edge + (up ? 9 : -1), value, { ...anchor, ...halo }));
  }
  function end(value: number): { y: number; open: boolean } {
    return { y: y(value), open: scale !== null && sideOf(scale, value) !== 0 };
  }
  const title = words.filter((part) => part !== "").join(" · ");
  return `<g class="point ${point.kind}"><title>${escaped(title)}</title>${drawn.join("")}</g>`;
}
