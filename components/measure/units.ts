/** Units that metrics are printed in, as far as two of them can be compared. */

const TIMES: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  sec: 1,
  min: 60,
};
const SIZES: Readonly<Record<string, number>> = {
  B: 1,
  byte: 1,
  bytes: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};
/** `10k/s` is ten thousand a second, `ops/s` as well as `/s` is a number a second. */
const PREFIXES: Readonly<Record<string, number>> = { "": 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9 };
const RATE = /^([kKMG]?)([A-Za-z]*)\/(s|sec|min)$/;
const PER_SECOND = /^(rps|qps|tps|fps|ops)$/i;

interface Known {
  readonly kind: string;
  readonly factor: number;
}

function known(unit: string): Known | null {
  if (unit in TIMES) return { kind: "time", factor: TIMES[unit] ?? 1 };
  if (unit in SIZES) return { kind: "size", factor: SIZES[unit] ?? 1 };
  if (unit in PREFIXES) return { kind: "count", factor: PREFIXES[unit] ?? 1 };
  if (PER_SECOND.test(unit)) return { kind: "rate", factor: 1 };
  const rate = RATE.exec(unit);
  if (rate === null) return null;
  const [, prefix = "", , time] = rate;
  return { kind: "rate", factor: (PREFIXES[prefix] ?? 1) / (time === "min" ? 60 : 1) };
}

/** @returns null where the units do not go together. A number without a unit is in the other one's. */
export function convert(value: number, from: string, to: string): number | null {
  if (from === to || from === "") return value;
  const [a, b] = [known(from), known(to)];
  if (a === null || b === null) return null;
  // `>=10k` of a rate means ten thousand of them.
  if (a.kind !== b.kind && a.kind !== "count") return null;
  return (value * a.factor) / (a.kind === "count" && b.kind !== "count" ? 1 : b.factor);
}

/** So many in a time: more is better. */
export const isRate = (unit: string): boolean => known(unit)?.kind === "rate";

/** A time, or a number in a time: what varies from run to run where it is measured. */
export const isOfTime = (unit: string): boolean => ["time", "rate"].includes(known(unit)?.kind ?? "");
