/** The bench's rows: what was measured, against which budget, and the table they make. */

export interface Row {
  readonly section: string;
  readonly what: string;
  readonly value: number;
  readonly unit: "x" | "ms" | "/s" | "commands" | "tokens" | "bytes" | "KiB" | "%";
  /** None: shown for the reader, judged by nobody. */
  readonly budget?: { readonly at: "most" | "least"; readonly value: number };
  /** What stands behind the value. */
  readonly detail?: string;
}

/** Null where there is no budget. */
export function within({ value, budget }: Row): boolean | null {
  if (budget === undefined) return null;
  return budget.at === "most" ? value <= budget.value : value >= budget.value;
}

export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => ({
    row,
    what: row.what,
    value: shown(row.value, row.unit),
    budget:
      row.budget === undefined
        ? ""
        : `${row.budget.at === "most" ? "≤" : "≥"} ${shown(row.budget.value, row.unit)}`,
    word: { true: "ok", false: "OVER", null: "" }[String(within(row)) as "true" | "false" | "null"],
  }));
  const wide = (key: "what" | "value" | "budget"): number =>
    Math.max(...cells.map((cell) => cell[key].length));
  const lines: string[] = [];
  let section = "";
  for (const { row, what, value, budget, word } of cells) {
    if (row.section !== section) lines.push(...(section === "" ? [] : [""]), row.section);
    section = row.section;
    lines.push(
      `  ${what.padEnd(wide("what"))}  ${value.padStart(wide("value"))}  ${budget.padEnd(wide("budget"))}  ${word.padEnd(4)}  ${row.detail ?? ""}`.trimEnd(),
    );
  }
  const over = rows.filter((row) => within(row) === false).length;
  const judged = rows.filter((row) => within(row) !== null).length;
  return [...lines, "", `${judged - over} of ${judged} within budget`].join("\n");
}

function shown(value: number, unit: Row["unit"]): string {
  if (unit === "x") return `${value.toFixed(2)} ×`;
  if (unit === "%") return `${value.toFixed(1)} %`;
  const digits = unit === "ms" && value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString("en");
  return unit === "/s" ? `${digits}/s` : `${digits} ${unit}`;
}
