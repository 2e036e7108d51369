/**
 * The host's config.toml as text. Comments, order and line endings are the user's: what is ours is cut out line by line,
 * and what remains is compared with what should remain. (`toml-patch` reads; as a remover it takes the comments that stand
 * between our table and the next one along, so it only edits where a line cut cannot.)
 */

import { isDeepStrictEqual } from "node:util";
import { parse, patch } from "@decimalturn/toml-patch";
import { Refusal } from "../../components/errors.ts";
import { MARKET, PLUGIN } from "./spots.ts";

type Table = Record<string, unknown>;

/** What config.toml says about us. */
export interface Ours {
  /** Folder or URL that our marketplace's name stands for. */
  readonly source: string | null;
  /** Null when the plugin is not configured. */
  readonly enabled: boolean | null;
  /** Trust of our hooks, by the host's key. */
  readonly trust: Readonly<Record<string, { readonly hash: string; readonly enabled: boolean }>>;
}

/** @throws Refusal `host_config` */
export function readToml(text: string, path: string): Table {
  try {
    return parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new Refusal("host_config", "The host's configuration is no valid TOML; nothing was changed.", {
      expected: "a file that Codex itself can read",
      found: `${path}: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`,
      next: [`mend ${path}, then run the same command again`],
    });
  }
}

export function oursIn(text: string | null, path: string): Ours {
  const config = text === null ? {} : readToml(text, path);
  const market = table(table(config.marketplaces)[MARKET]);
  const plugin = table(config.plugins)[PLUGIN];
  const states = Object.entries(table(table(config.hooks).state)).filter(([key]) => isOurHook(key));
  return {
    source: typeof market.source === "string" ? market.source : null,
    enabled: plugin === undefined ? null : table(plugin).enabled !== false,
    trust: Object.fromEntries(
      states.map(([key, value]) => {
        const { trusted_hash: hook, trusted_content_hash: content, enabled } = table(value);
        // The host lists both as one, `<definition>/<content>`.
        const hash = typeof content === "string" ? `${hook}/${content}` : `${hook}`;
        return [key, { hash, enabled: enabled !== false }];
      }),
    ),
  };
}

const isOurHook = (key: string): boolean => key.startsWith(`${PLUGIN}:`);

export function table(value: unknown): Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Table) : {};
}

const HEADER = /^\s*\[(?!\[)(.+?)\]\s*(?:#.*)?$/;
const ANY_HEADER = /^\s*\[/;

const isOurHeader = (name: string): boolean => {
  const plain = name
    .replace(/\s*\.\s*/g, ".")
    .replaceAll("'", '"')
    .trim();
  return (
    plain === `marketplaces.${MARKET}` ||
    plain === `marketplaces."${MARKET}"` ||
    plain === `plugins."${PLUGIN}"` ||
    plain.startsWith(`plugins."${PLUGIN}".`) ||
    plain.startsWith(`hooks.state."${PLUGIN}:`)
  );
};

/**
 * The text without our marketplace, our plugin and the trust of our hooks; everything else byte for byte.
 * @param dropHooksState also an empty `[hooks.state]`, which the host made for us
 * @throws Refusal `host_config` when the rest would not stay what it was
 */
export function withoutOurs(text: string, path: string, dropHooksState: boolean): string {
  const wanted = prune(lacking(readToml(text, path)));
  const shape = plain(wanted);
  const fits = (candidate: string): boolean => {
    try {
      return isDeepStrictEqual(plain(prune(parse(candidate.replace(/^\uFEFF/, "")))), shape);
    } catch {
      return false;
    }
  };
  const cut = cutSections(text, isOurHeader);
  const whole = dropHooksState ? cutSections(cut, (name) => name.trim() === "hooks.state", true) : cut;
  for (const candidate of [whole, cut, patched(text, wanted)])
    if (candidate !== null && fits(candidate)) return candidate;
  throw new Refusal("host_config", "What is ours cannot be taken out of the host's configuration safely.", {
    expected: "tables of their own, as the host writes them",
    found: path,
    next: [`remove what names ${PLUGIN} from ${path} by hand, then run the same command again`],
  });
}

/** The same with ordinary objects throughout; the parser's own have no prototype, and comparing looks at that. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function patched(text: string, wanted: Table): string | null {
  try {
    return patch(text, wanted);
  } catch {
    return null;
  }
}

/** A copy of the parsed file without what is ours. */
function lacking(config: Table): Table {
  const without = (of: unknown, drop: (key: string) => boolean): Table =>
    Object.fromEntries(Object.entries(table(of)).filter(([key]) => !drop(key)));
  return {
    ...config,
    marketplaces: without(config.marketplaces, (key) => key === MARKET),
    plugins: without(config.plugins, (key) => key === PLUGIN),
    ...(config.hooks === undefined
      ? {}
      : { hooks: { ...table(config.hooks), state: without(table(config.hooks).state, isOurHook) } }),
  };
}

/** Without empty tables at the places where ours were: whether they are there or not means nothing. */
function prune(config: Table): Table {
  const full = (value: unknown): boolean => Object.keys(table(value)).length > 0;
  const { marketplaces, plugins, hooks, ...rest } = config;
  const { state, ...events } = table(hooks);
  const ownHooks = { ...events, ...(full(state) ? { state } : {}) };
  return {
    ...rest,
    ...(full(marketplaces) ? { marketplaces } : {}),
    ...(full(plugins) ? { plugins } : {}),
    ...(full(ownHooks) ? { hooks: ownHooks } : {}),
  };
}

/** Cuts tables by their headers. Comments and blank lines behind a table's last key belong to what follows. */
function cutSections(text: string, ours: (header: string) => boolean, emptyOnly = false): string {
  const lines = text.split(/(?<=\n)/);
  const out: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    const header = HEADER.exec(line.trimEnd())?.[1];
    let end = at + 1;
    while (end < lines.length && !ANY_HEADER.test(lines[end] ?? "")) end++;
    if (header === undefined || !ours(header)) {
      out.push(line);
      at++;
      continue;
    }
    while (end > at + 1 && /^\s*(#.*)?$/.test((lines[end - 1] ?? "").trimEnd())) end--;
    if (emptyOnly && end > at + 1) {
      out.push(line);
      at++;
      continue;
    }
    // The host puts one blank line before a table that it adds.
    if (out.length > 0 && (out.at(-1) ?? "").trim() === "") out.pop();
    else if (out.length === 0 && (lines[end] ?? "x").trim() === "") end++;
    at = end;
  }
  return out.join("");
}

/**
 * The text with the line endings of another one. The host writes `\n` throughout when it edits a file: each line that was
 * there before gets its own ending again, and new ones get that of most lines.
 */
export function withLineEndings(before: string, after: string): string {
  if (!before.includes("\r\n")) return after;
  const old = before.split(/(?<=\n)/);
  const crlf = old.filter((line) => line.endsWith("\r\n")).length;
  const most = crlf * 2 >= old.filter((line) => line.endsWith("\n")).length ? "\r\n" : "\n";
  const plain = (line: string): string => line.replace(/\r?\n$/, "");
  let at = 0;
  return after
    .split(/(?<=\n)/)
    .map((line) => {
      if (!line.endsWith("\n")) return line;
      const found = old.findIndex((candidate, index) => index >= at && plain(candidate) === plain(line));
      const same = found < 0 ? undefined : old[found];
      if (same === undefined || !same.endsWith("\n")) return plain(line) + most;
      at = found + 1;
      return same;
    })
    .join("");
}

/** Whether two texts differ in nothing but line endings and blank lines. */
export function sameLines(a: string, b: string): boolean {
  const lines = (text: string): string =>
    text
      .split(/\r?\n/)
      .filter((line) => line.trim() !== "")
      .join("\n");
  return lines(a) === lines(b);
}

/** Switches the plugin on or off, adding its table where there is none. */
export function withEnabled(text: string, path: string, enabled: boolean): string {
  const config = readToml(text, path);
  const plugins = table(config.plugins);
  const ours = plugins[PLUGIN];
  if (ours !== undefined)
    return patch(text, { ...config, plugins: { ...plugins, [PLUGIN]: { ...table(ours), enabled } } });
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  const gap = text === "" ? "" : text.endsWith("\n") ? end : end + end;
  return `${text}${gap}[plugins."${PLUGIN}"]${end}enabled = ${enabled}${end}`;
}
