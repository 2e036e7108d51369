/** Values inside parsed JSON, by dotted path. */

/**
 * The value at a path: `a.b`, `rows[0].id`, `rows.0.id`, `rows.length`. A key that has dots in it is found as a whole first.
 * @returns undefined when nothing is there
 */
export function pickPath(value: unknown, path: string): unknown {
  const plain = path.replace(/^\$\.?/, "");
  if (plain === "") return value;
  if (isRecord(value) && Object.hasOwn(value, plain)) return value[plain];
  let at = value;
  for (const part of plain.replace(/\[(\d+)\]/g, ".$1").split(".")) {
    if (part === "") continue;
    if (Array.isArray(at))
      at = part === "length" ? at.length : /^\d+$/.test(part) ? at[Number(part)] : undefined;
    else if (isRecord(at) && Object.hasOwn(at, part)) at = at[part];
    else return undefined;
  }
  return at;
}

/** Deep equality, the order of keys aside. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameValue(item, b[index]));
  if (!isRecord(a) || !isRecord(b) || Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key], b[key]))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
