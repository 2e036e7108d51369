/** The course of an optimisation as text and as a picture, with the plots that agents and machines can make of it. */

import { describe, expect, test } from "bun:test";
import {
  figure,
  NOTHING_YET,
  type Plot,
  type PlotPoint,
  scaleOf,
  ticks,
  tickText,
} from "../../components/report/plot.ts";
import { plotSvg } from "../../components/report/plot-svg.ts";
import { plotText } from "../../components/report/plot-text.ts";
import { width } from "../../components/report/text.ts";

/** @param half of the interval */
function point(
  minute: number,
  kind: PlotPoint["kind"],
  value: number | null,
  half = 0,
  note = "",
  more: Partial<PlotPoint> = {},
): PlotPoint {
  const at = new Date(Date.UTC(2026, 0, 5, 12, minute)).toISOString();
  const [low, high] = value === null ? [null, null] : [value - half, value + half];
  return { at, label: kind, kind, value, low, high, note, ...more };
}
const plotOf = (points: readonly PlotPoint[], more: Partial<Plot> = {}): Plot => ({
  title: "Make the search twice as fast",
  metric: "p95",
  unit: "ms",
  better: "lower",
  baseline: { value: 41.8 },
  target: 25,
  points,
  ...more,
});
const course = plotOf([
  point(0, "evaluated", 41.6, 0.9, "as it is"),
  point(7, "kept", 38.2, 0.8, "cache the parsed index between requests"),
  point(15, "reverted", null, 0, "worker pool: 3 tests fail"),
  point(22, "evaluated", 39, 4, "a smaller buffer"),
  point(31, "invalid", null, 0, "METRIC p95 was printed twice"),
  point(44, "failed", 412, 30, "sort in SQL instead"),
  point(58, "kept", 27.4, 0.7, "binary search over postings"),
  point(66, "passed", 24.3, 0.4, "", { label: "pass" }),
]);

const HOSTILE =
  "a\nb</svg><script>alert(1)</script>\u001b[31m\u0000\u202e'\"&amp;]]>\ud800\ufffe 検索を二倍速くする 🚀";
const spread = Array.from({ length: 16 }, (_, i) =>
  point(i, i % 3 === 0 ? "kept" : "evaluated", Number(`1e${i - 6}`)),
);
const many = Array.from({ length: 200 }, (_, i) =>
  i % 7 === 0
    ? point(i * 17, i % 2 === 0 ? "reverted" : "invalid", null, 0, `try ${i}`)
    : point(i * 17, i % 5 === 0 ? "kept" : "evaluated", 1000 / (1 + i), 3, `try ${i}`),
);
const PLOTS: Readonly<Record<string, Plot>> = {
  "a usual course": course,
  "no points": plotOf([]),
  "one point": plotOf([point(0, "kept", 40, 1)]),
  "one point and nothing to compare it with": plotOf([point(0, "kept", 40)], {
    baseline: null,
    target: null,
  }),
  "equal values": plotOf([point(0, "kept", 5), point(1, "kept", 5)], { baseline: { value: 5 }, target: 5 }),
  "only zeros": plotOf([point(0, "kept", 0)], { baseline: { value: 0 }, target: null }),
  "from 1e-6 to 1e9": plotOf(spread, { baseline: null, target: null }),
  "a target far away": plotOf(course.points, { target: 1e9, better: "higher" }),
  "200 points over days": plotOf(many),
  "nothing measured": plotOf([point(0, "invalid", null, 0, "why"), point(1, "reverted", null)]),
  "no numbers at all": plotOf([point(0, "invalid", null, 0, "why")], { baseline: null, target: null }),
  "broken numbers": plotOf(
    [
      point(0, "evaluated", Number.NaN),
      point(1, "evaluated", 40, 0, "", { low: -Infinity, high: Infinity }),
      point(2, "evaluated", 40, 0, "", { low: 50, high: Number.NaN, at: "yesterday" }),
      point(3, "evaluated", Infinity),
    ],
    { baseline: { value: Number.NaN }, target: Infinity },
  ),
  "below zero": plotOf([point(0, "kept", -3, 1), point(1, "evaluated", 4)], { baseline: { value: -2 } }),
  "hostile words": plotOf(
    course.points.map((p) => ({ ...p, note: HOSTILE, label: HOSTILE, at: HOSTILE })),
    { title: HOSTILE, metric: HOSTILE, unit: HOSTILE },
  ),
};

describe("in a terminal", () => {
  test("a row a point, on one scale, with baseline, target and notes", () => {
    expect(plotText(course, 80).split("\n")).toEqual([
      "Make the search twice as fast",
      "p95 in ms · lower is better · │ baseline 41.8 · ┊ target 25.0",
      "UTC                                30            40",
      "                            ────────┬─────────────┬────",
      "12:00  evaluated   41.6 ms   ┊                     ├○┤   as it is",
      "12:07  kept        38.2 ms   ┊                ├●─┤  │    cache the parsed index…",
      "12:15  reverted              ┊                      │    worker pool: 3 tests f…",
      "12:22  evaluated   39.0 ms   ┊             ├─────○──┼─┤  a smaller buffer",
      "12:31  invalid               ┊                      │    METRIC p95 was printed…",
      "12:44  failed     412.0 ms   ┊                      │ →  sort in SQL instead",
      "12:58  kept        27.4 ms   ┊  ├●┤                 │    binary search over pos…",
      "13:06  pass        24.3 ms  ├●                      │",
    ]);
  });

  test("where it is narrow, the track is kept, and a try without a value says why", () => {
    expect(plotText(course, 60).split("\n")).toEqual([
      "Make the search twice as fast",
      "p95 in ms · lower is better · │ baseline 41.8",
      "┊ target 25.0",
      "UTC                                  30              40",
      "                            ──────────┬───────────────┬─────",
      "12:00  evaluated   41.6 ms    ┊                        ├─○┤",
      "12:07  kept        38.2 ms    ┊                   ├●─┤   │",
      "12:15  reverted             worker pool: 3 tests fail",
      "12:22  evaluated   39.0 ms    ┊               ├──────○───┼─┤",
      "12:31  invalid              METRIC p95 was printed twice",
      "12:44  failed     412.0 ms    ┊                          │ →",
      "12:58  kept        27.4 ms    ┊  ├●┤                     │",
      "13:06  pass        24.3 ms  ├●┊                          │",
    ]);
  });

  for (const [name, plot] of Object.entries(PLOTS))
    test(`${name}: no line is longer than it may be, and none sends control characters`, () => {
      for (let columns = 40; columns <= 200; columns++) {
        const lines = plotText(plot, columns).split("\n");
        expect(lines.filter((line) => width(line) > columns)).toEqual([]);
        expect(lines.filter((line) => /[\p{Cc}\u202e]|NaN|Infinity|undefined/u.test(line))).toEqual([]);
        if (plot.points.length > 0) expect(lines.length).toBeGreaterThan(plot.points.length);
      }
    });

  test("every value is readable at every width, however narrow", () => {
    for (let columns = 30; columns <= 200; columns++)
      for (const value of ["41.6 ms", "412.0 ms", "24.3 ms"])
        expect(plotText(course, columns)).toContain(value);
  });

  test("without points it says what to run", () => {
    expect(plotText(plotOf([]), 80)).toBe(NOTHING_YET);
    expect(plotText(plotOf([]), 40).split("\n").length).toBe(2);
  });

  test("an interval that crosses baseline or target is seen to do so", () => {
    const row =
      plotText(plotOf([point(0, "evaluated", 33, 15)]), 80)
        .split("\n")
        .at(-1) ?? "";
    expect(row).toMatch(/├─+┼─+○─+┼─+┤$/);
  });

  test("an interval that is open on both sides leads off the scale on both", () => {
    const open = point(1, "evaluated", 40, 0, "", { low: -Infinity, high: Infinity });
    expect(
      plotText(plotOf([open]), 80)
        .split("\n")
        .at(-1),
    ).toMatch(/ ←.*○.*→$/);
  });

  test("columns hold beside wide characters", () => {
    const labels = ["検索", "kept"].map((label, i) => point(i, "kept", 30 + i, 0, "", { label }));
    const rows = plotText(plotOf(labels), 80).split("\n").slice(-2);
    expect(rows.map((row) => width(row.slice(0, row.indexOf("ms"))))).toEqual([18, 18]);
  });

  test("the day stands there where there are several", () => {
    expect(plotText(plotOf([point(0, "kept", 30), point(1440, "kept", 29)]), 80)).toContain("01-06 12:00");
  });
});

describe("the scale", () => {
  const scale = (points: readonly PlotPoint[], more: Partial<Plot> = {}) => {
    const found = scaleOf(plotOf(points, more));
    if (found === null) throw new Error("no scale");
    return found;
  };

  test("leaves out a try that is far away, and nothing that was kept", () => {
    const near = [41, 40, 42].map((value, i) => point(i, "evaluated", value));
    expect(scale([...near, point(5, "evaluated", 400)]).high).toBe(42);
    expect(scale([...near, point(5, "kept", 400)]).high).toBe(400);
  });

  test("is logarithmic where the course spans magnitudes, but not for a target near 0", () => {
    expect(scale([point(0, "kept", 2)]).log).toBe(true);
    expect(scale([point(0, "kept", 40)], { target: 0.001 }).log).toBe(false);
    expect(scale([point(0, "kept", 40)], { target: 4000 }).log).toBe(true);
    expect(scale([point(0, "kept", 40), point(1, "kept", 0)]).log).toBe(false);
  });

  test("does not blow up a thousandth to its full length", () => {
    const { low, high } = scale([point(0, "kept", 1000.5)], { baseline: { value: 1000 }, target: null });
    expect(high - low).toBeGreaterThan(19);
  });

  test("has 3 to 5 round ticks, in linear and logarithmic spans of every size", () => {
    for (let from = 1; from < 100; from += 1.7)
      for (const span of [0.021, 0.05, 0.3, 1, 3, 18, 25, 1e3, 1e5, 1e9, 1e15])
        for (const magnitude of [1e-6, 1, 1e9]) {
          const low = from * magnitude;
          const of = scale([], { baseline: { value: low }, target: low * (1 + span) });
          const found = ticks(of, 5);
          expect(found.length).toBeGreaterThanOrEqual(3);
          expect(found.length).toBeLessThanOrEqual(5);
          for (const tick of found) expect(tickText(tick).replace(/e.*/, "").length).toBeLessThanOrEqual(9);
        }
  });

  test("decides how its values are written", () => {
    const linear = scale([]);
    expect([25, 41.8, 412, 0.0312, 0, 1.5e9].map((value) => figure(linear, value))).toEqual([
      "25.0",
      "41.8",
      "412.0",
      "0.0312",
      "0",
      "1.50000e9",
    ]);
    const whole = scale([point(0, "kept", 1200)], { baseline: { value: 1300 }, target: 1000 });
    expect(figure(whole, 1200)).toBe("1200");
    const log = scale(spread, { baseline: null, target: null });
    expect([1e-6, 0.01234, 5, 12.345, 1234.5, -2.5].map((value) => figure(log, value))).toEqual([
      "1.00e−6",
      "0.0123",
      "5",
      "12.3",
      "1235",
      "−2.50",
    ]);
  });
});

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Reads XML without forgiveness: what a browser would reject throws. Enough of the language for what is written here. */
function parseXml(source: string): readonly Element[] {
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(source)) throw new Error("character");
  const found: Element[] = [];
  const open: string[] = [];
  const words = (text: string): string => {
    if (/[<>]|&(?!(?:amp|lt|gt|quot|#39);)/.test(text)) throw new Error(`not escaped: ${text}`);
    return text
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll("&#39;", "'")
      .replaceAll("&amp;", "&");
  };
  for (const [, tag, text = ""] of source.trimEnd().matchAll(/(<[^>]*>)([^<]*)/g)) {
    const closing = /^<\/([a-z]+)>$/.exec(tag ?? "")?.[1];
    if (closing !== undefined) {
      if (open.pop() !== closing) throw new Error(`closed: ${closing}`);
    } else {
      const [, name = "", list = "", empty] =
        /^<([a-z]+)((?: [a-zA-Z0-9-]+="[^"<]*")*)(\/?)>$/.exec(tag ?? "") ?? [];
      if (name === "" || (open.length === 0 && found.length > 0)) throw new Error(`no element: ${tag}`);
      const pairs = [...list.matchAll(/ ([\w-]+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [
        key,
        words(value),
      ]);
      if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw new Error(`twice: ${tag}`);
      found.push({ name, attributes: Object.fromEntries(pairs), text: words(text) });
      if (empty !== "/") open.push(name);
    }
    if (open.length === 0 && text.trim() !== "") throw new Error(`outside: ${text}`);
    words(text);
  }
  if (open.length > 0) throw new Error(`open: ${open}`);
  if (!source.startsWith("<svg ")) throw new Error("something before the document");
  return found;
}

const byClass = (elements: readonly Element[], name: string): readonly Element[] =>
  elements.filter((one) => (one.attributes.class ?? "").split(" ").includes(name));

describe("as a picture", () => {
  test("the reader of these tests accepts no broken XML", () => {
    for (const broken of [
      "<svg a='1'/>",
      "<svg><g></svg>",
      "<svg >&nbsp;</svg>",
      "<svg ></svg>x",
      "<svg >\u0001</svg>",
    ])
      expect(() => parseXml(broken)).toThrow();
  });

  for (const [name, plot] of Object.entries(PLOTS))
    test(`${name}: is XML, has every point, and lies within its frame`, () => {
      const svg = plotSvg(plot);
      const elements = parseXml(svg);
      expect(plotSvg(plot)).toBe(svg);
      for (const kind of new Set(plot.points.map((p) => p.kind)))
        expect(byClass(elements, kind).length).toBe(plot.points.filter((p) => p.kind === kind).length);
      expect(byClass(elements, "point").length).toBe(plot.points.length);
      expect(
        elements.filter((one) => !/^(svg|title|desc|rect|text|line|path|circle|polyline|g)$/.test(one.name)),
      ).toEqual([]);
      expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
        / (?:href|on\w+|style)=|url\(|:\/\//,
      );
      for (const { attributes } of elements)
        for (const [key, value] of Object.entries(attributes)) {
          expect(value).not.toMatch(/NaN|Infinity|undefined/);
          if (/^(x|x1|x2|cx)$/.test(key)) expect(Number(value)).toBeWithin(0, 961);
          if (/^(y|y1|y2|cy)$/.test(key)) expect(Number(value)).toBeWithin(0, 481);
        }
    });

  test("what was kept is full and stands where its value is; the rest is hollow, struck out or a cross", () => {
    const points = plotSvg(course)
      .split("\n")
      .filter((line) => line.startsWith('<g class="point'));
    const of = (kind: string): string => points.filter((line) => line.includes(`"point ${kind}"`)).join("");
    expect(of("kept").match(/<circle [^>]*fill="#1a7f37"/g)?.length).toBe(2);
    expect(of("evaluated").match(/<circle [^>]*fill="#ffffff"/g)?.length).toBe(2);
    expect(of("reverted")).toMatch(/<circle [^>]*fill="#ffffff".*<path /);
    expect(of("invalid")).not.toContain("circle");
    const heights = [...of("kept").matchAll(/ cy="([\d.]+)"/g)].map((match) => Number(match[1]));
    expect(heights[0]).toBeLessThan(heights[1] ?? 0);
    expect(of("passed")).toContain("<title>13:06 · pass · 24.3 ms</title>");
    expect(of("failed")).toContain(">412.0 ms</text>");
  });

  test("title, description, axis, legend and lines are told in words", () => {
    const elements = parseXml(plotSvg(course));
    const texts = elements.filter(({ name }) => name === "text").map((one) => one.text);
    expect(elements.find(({ name }) => name === "title")?.text).toBe(course.title);
    expect(elements.find(({ name }) => name === "desc")?.text).toBe(
      "p95 in ms, lower is better. baseline 41.8 ms. target 25.0 ms. last kept 24.3 ms. 8 points: 2 kept, 1 passed, 2 evaluated, 1 failed, 1 reverted, 1 invalid.",
    );
    for (const words of [
      "baseline 41.8 ms",
      "target 25.0 ms",
      "last kept 24.3 ms",
      "30",
      "ms",
      "kept",
      "12:07",
    ])
      expect(texts).toContain(words);
  });

  test("labels of the margin do not lie upon each other, nor upon the strip below", () => {
    for (const [baseline, target, kept] of [
      [40, 40, 40],
      [41, 40.9, 30],
      [30, 30.1, 41],
    ] as const) {
      const plot = plotOf([point(0, "kept", kept), point(1, "invalid", null)], {
        baseline: { value: baseline },
        target,
      });
      const heights = parseXml(plotSvg(plot))
        .filter((one) => one.name === "text" && /^(baseline|target|last kept|no value)/.test(one.text))
        .map((one) => Number(one.attributes.y))
        .sort((a, b) => a - b);
      expect(heights.length).toBe(4);
      for (let i = 1; i < heights.length; i++)
        expect((heights[i] ?? 0) - (heights[i - 1] ?? 0)).toBeGreaterThanOrEqual(15);
    }
  });

  test("hostile words stay words", () => {
    const elements = parseXml(plotSvg(PLOTS["hostile words"] ?? plotOf([])));
    expect(elements.some(({ name }) => name === "script")).toBe(false);
    expect(elements.find(({ name }) => name === "title")?.text).toBe(
      "a b</svg><script>alert(1)</script>\\u001b[31m\\u0000\\u202e'\"&amp;]]>\\ud800\\ufffe 検索を二倍速くする 🚀",
    );
  });
});
