/** How the kinds of points look in a picture: one shape and one colour each. */

import type { PlotPoint } from "./plot.ts";
import { type Attributes, short, tag } from "./svg.ts";

export const QUIET = "#57606a";
export const KINDS: readonly PlotPoint["kind"][] = [
  "kept",
  "passed",
  "evaluated",
  "failed",
  "reverted",
  "invalid",
];
/** All of at least 4.5 to 1 on white; the shapes differ as well, for those who do not see the colours. */
export const COLOURS: Readonly<Record<PlotPoint["kind"], string>> = {
  kept: "#1a7f37",
  passed: "#0550ae",
  evaluated: QUIET,
  failed: "#bc4c00",
  reverted: "#8250df",
  invalid: "#cf222e",
};

/** One shape for each kind. */
export function mark(kind: PlotPoint["kind"], x: number, y: number, r: number): string {
  const colour = COLOURS[kind];
  const hollow: Attributes = { fill: "#ffffff", stroke: colour, "stroke-width": 1.5 };
  const full: Attributes = { fill: colour };
  const circle = (look: Attributes): string => tag("circle", { cx: x, cy: y, r, ...look });
  const diamond = (look: Attributes): string => {
    const half = r * 1.3;
    return tag("path", {
      d: `M${short(x)} ${short(y - half)}L${short(x + half)} ${short(y)}L${short(x)} ${short(y + half)}L${short(x - half)} ${short(y)}Z`,
      ...look,
    });
  };
  const [left, right, top, bottom] = [x - r, x + r, y - r, y + r].map(short);
  const stroke = (d: string): string => tag("path", { d, stroke: colour, "stroke-width": 1.5, fill: "none" });
  switch (kind) {
    case "kept":
      return circle(full);
    case "passed":
      return diamond(full);
    case "evaluated":
      return circle(hollow);
    case "failed":
      return diamond(hollow);
    case "reverted":
      return circle(hollow) + stroke(`M${left} ${bottom}L${right} ${top}`);
    case "invalid":
      return stroke(`M${left} ${top}L${right} ${bottom}M${left} ${bottom}L${right} ${top}`);
  }
}

interface End {
  readonly y: number;
  /** Beyond the scale: the line is cut off there, and has no cap. */
  readonly open: boolean;
}

export function whisker(x: number, low: End, high: End, radius: number, colour: string): string {
  if (short(low.y) === short(high.y)) return "";
  const half = radius * 0.8;
  const caps = [low, high]
    .filter(({ open }) => !open)
    .map(({ y }) => `M${short(x - half)} ${short(y)}H${short(x + half)}`);
  const d = `M${short(x)} ${short(low.y)}V${short(high.y)}${caps.join("")}`;
  return tag("path", { d, stroke: colour, fill: "none" });
}

/** For what is far away: a triangle that points there from the edge. */
export function arrow(x: number, edge: number, up: boolean, colour: string): string {
  const base = edge + (up ? 10 : -10);
  return tag("path", {
    d: `M${short(x)} ${short(edge)}L${short(x + 6)} ${short(base)}H${short(x - 6)}Z`,
    fill: colour,
  });
}
