/** Units of what is measured: which go together, and how one is turned into another. */

/** In nanoseconds. */
const TIMES: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  sec: 1e9,
  min: 60e9,
};
const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  bytes: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};
const PREFIXES: Readonly<Record<string, number>> = { k: 1e3, M: 1e6 };
/** So many of something in a second. */
const RATES = /^[kM]?(?:rps|qps|fps|tps|iops|Hz)$/i;

interface Unit {
  /** Only units of one kind go together. */
  readonly kind: string;
  readonly factor: number;
}

function unitOf(text: string): Unit {
  const [top = "", bottom] = text.split("/", 2);
  if (bottom === undefined) return plainUnit(text);
  const [over, under] = [plainUnit(top), plainUnit(bottom)];
  return { kind: `${over.kind}/${under.kind}`, factor: over.factor / under.factor };
}

function plainUnit(text: string): Unit {
  const time = Object.hasOwn(TIMES, text) ? TIMES[text] : undefined;
  if (time !== undefined) return { kind: "time", factor: time };
  const bytes = Object.hasOwn(BYTES, text) ? BYTES[text] : undefined;
  if (bytes !== undefined) return { kind: "bytes", factor: bytes };
  const prefix = PREFIXES[text.charAt(0)];
  return prefix === undefined ? { kind: text, factor: 1 } : { kind: text.slice(1), factor: prefix };
}

/**
 * Whether a unit is one of time, so that a disturbance of the machine shows in it: a time (`ms`, `ns/op`) or a rate
 * (`/s`, `req/s`, `MB/s`, `rps`).
 */
export function isTimeUnit(unit: string): boolean {
  return RATES.test(unit) || unit.split("/").some((part) => Object.hasOwn(TIMES, part));
}

/** So many of something in a time: more is better. */
export const isRate = (unit: string): boolean =>
  RATES.test(unit) || Object.hasOwn(TIMES, unit.split("/")[1] ?? "");

/**
 * Turns a value into another unit: times, bytes (kB is 1000, KiB 1024), and anything with `k` or `M` in front, also as a
 * rate (`kreq/s`, `MB/s`, `us/op`).
 * @returns null where the two units do not go together
 */
export function convert(value: number, fromUnit: string, toUnit: string): number | null {
  if (fromUnit === toUnit) return value;
  const [from, to] = [unitOf(fromUnit), unitOf(toUnit)];
  if (from.kind !== to.kind) return null;
  // Divided by a whole number where that is possible: a factor like 0.001 is none in binary.
  return from.factor < to.factor ? value / (to.factor / from.factor) : value * (from.factor / to.factor);
}
