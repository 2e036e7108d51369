/** Takes the dump of something watched: what of it is there now. What is not there yet has no entries. */
import { copyFileSync, lstatSync, mkdtempSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import picomatch from "picomatch";
import { captureFile, readText } from "../../capture.ts";
import { pickPath } from "../../json-paths.ts";
import type { Stage } from "../stage.ts";
import { requireRan, run } from "./command.ts";
import type { Dump, Entry } from "./entries.ts";
import { type Source, sourceWords, type Watched } from "./scenario.ts";

const FROM = "apt-get install sqlite3, or brew install sqlite";
const MAX_TEXT = 32 * 1024 * 1024;
/** Of a watched file that is kept as text, so that its content can be looked at; of a larger one the digest. */
const MAX_FILE = 1024 * 1024;
const MAX_FILES = 20_000;
const MAX_HASHED = 1024 * 1024 * 1024;

const NOTHING: Dump = { form: "bag", entries: [] };

/** A link in place of a file: never what a plan means by a file. */
export interface Link {
  readonly linkTo: string;
}

/**
 * @param when `before` or `after`, for messages
 * @param data absolute path of the data folder
 */
export async function take(
  stage: Stage,
  watched: Watched,
  data: string,
  when: "before" | "after",
): Promise<Dump> {
  const { source } = watched;
  const fails: Fails = (wanted, got) => stage.unmet(`${sourceWords(watched)}, ${when}`, wanted, got);
  switch (source.kind) {
    case "files":
      return { form: "named", entries: filesIn(data, source.globs, fails) };
    case "sqlite": {
      const path = inside(data, source.path, fails);
      return path === null ? NOTHING : ofDatabase(stage, path, source.query, watched.by, when, fails);
    }
    case "json":
    case "yaml": {
      const path = inside(data, source.path, fails);
      return path === null ? NOTHING : ofText(readText(path, MAX_TEXT), source.kind, watched, fails);
    }
    case "dump": {
      const text = await printed(stage, source, data, when);
      return source.as === "lines" ? ofLines(text) : ofText(text, source.as, watched, fails);
    }
  }
}

type Fails = (wanted: string, got: string) => never;

/** The path of a real file in the data folder; null when nothing is there. */
function inside(data: string, path: string, fails: Fails): string | null {
  const place = join(data, path);
  const stats = lstatSync(place, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (stats.isSymbolicLink()) fails("a file in the data folder", `a symbolic link to ${readlinkSync(place)}`);
  if (!stats.isFile())
    fails("a file in the data folder", stats.isDirectory() ? "a folder" : "something else");
  if (relative(realpathSync(data), realpathSync(place)).startsWith(".."))
    fails("a file in the data folder", "a path that leads out of it by a link");
  return place;
}

const ofLines = (text: string): Dump => ({
  form: "lines",
  entries:
    text === ""
      ? []
      : text
          .replace(/\r?\n$/, "")
          .split(/\r?\n/)
          .map((value) => ({ key: null, value })),
});

async function ofText(
  text: string,
  as: "json" | "yaml",
  { at, by }: Pick<Watched, "at" | "by">,
  fails: Fails,
): Promise<Dump> {
  if (text.trim() === "") return NOTHING;
  let whole: unknown;
  try {
    whole = as === "json" ? JSON.parse(text) : (await import("yaml")).parse(text);
  } catch (error) {
    fails(
      `${as === "json" ? "JSON" : "YAML"} that can be read`,
      error instanceof Error ? error.message : String(error),
    );
  }
  const value = at === null ? whole : pickPath(whole, at);
  if (value === undefined || value === null) return NOTHING;
  if (Array.isArray(value)) return ofList(value, by, fails);
  if (by !== null) fails(`a list, whose entries are named by ${by}`, JSON.stringify(value));
  return { form: "named", entries: [...leaves(value, "")] };
}

function ofList(list: readonly unknown[], by: string | null, fails: Fails): Dump {
  if (by === null) return { form: "bag", entries: list.map((value) => ({ key: null, value })) };
  const seen = new Set<string>();
  const entries = list.map((value): Entry => {
    const name = pickPath(value, by);
    if (name === undefined || name === null)
      return fails(`${by} in each entry`, JSON.stringify(value) ?? "nothing");
    const key = typeof name === "string" ? name : JSON.stringify(name);
    if (seen.has(key)) fails(`one entry for each ${by}`, `two with ${key}`);
    seen.add(key);
    return { key, value };
  });
  return { form: "named", entries };
}

/** Every value inside of a value, by its dotted path. */
function* leaves(value: unknown, path: string): Generator<Entry> {
  const inner =
    typeof value === "object" && value !== null && Object.keys(value).length > 0
      ? Object.entries(value)
      : null;
  if (inner === null) yield { key: path, value };
  else for (const [key, member] of inner) yield* leaves(member, path === "" ? key : `${path}.${key}`);
}

/** The entries of a copy, so that looking changes nothing; what is in its write-ahead log belongs to it. */
async function ofDatabase(
  stage: Stage,
  path: string,
  query: string | null,
  by: string | null,
  when: "before" | "after",
  fails: Fails,
): Promise<Dump> {
  const copy = join(mkdtempSync(join(stage.job.out, "db-")), "copy.db");
  for (const suffix of ["", "-wal", "-journal"])
    if (lstatSync(path + suffix, { throwIfNoEntry: false })?.isFile())
      copyFileSync(path + suffix, copy + suffix);
  // Nobody's ~/.sqliterc has a say in it. Not by the stage's pipes: in a sandbox without sockets they lose what comes.
  const asked = query === null ? [copy, ".dump"] : ["-json", copy, query];
  const ran = await run(stage, ["sqlite3", "-init", "/dev/null", "-batch", ...asked], {});
  if (ran.spawnError === "ENOENT") stage.blocked(`sqlite3 is not installed: ${FROM}`);
  const stdout = readText(ran.stdoutPath, MAX_TEXT);
  const complaint = readText(ran.stderrPath, MAX_TEXT).trim();
  if (/unknown option: -json/.test(complaint)) stage.blocked(`sqlite3 is older than 3.33: ${FROM}`);
  if (ran.exit !== 0 || /^(?:Parse |Runtime )?[Ee]rror/m.test(complaint)) {
    // A table that the command is to make.
    if (when === "before" && /no such (?:table|column)/.test(complaint)) return NOTHING;
    fails(query ?? "a database", complaint || (ran.spawnError ?? `exit ${ran.exit}`));
  }
  // What every dump begins and ends with says nothing.
  if (query === null)
    return ofLines(
      stdout.replace(/^PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n/, "").replace(/COMMIT;\n$/, ""),
    );
  if (stdout.trim() === "") return NOTHING;
  const rows: unknown = JSON.parse(stdout);
  return ofList(Array.isArray(rows) ? rows : [rows], by, fails);
}

async function printed(
  stage: Stage,
  source: Extract<Source, { kind: "dump" }>,
  data: string,
  when: "before" | "after",
): Promise<string> {
  const once = async (): Promise<string> => {
    const ran = await run(stage, source.run, { DATA: data });
    await requireRan(stage, source.run, ran, `dump ${when}`);
    return readText(ran.stdoutPath, MAX_TEXT);
  };
  const text = await once();
  // A dump that differs by itself would show a difference whatever is run.
  if (when === "before" && (await once()) !== text)
    stage.unmet(`dump ${when}`, "the same output twice, since nothing ran in between", "another one");
  return text;
}

/** The files that globs name, by path; links are not followed. */
function filesIn(data: string, globs: readonly string[], fails: Fails): Entry[] {
  const matches = picomatch([...globs], { dot: true });
  const found: Entry[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(data, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (matches(path))
        found.push({ key: path, value: contentOf(join(data, path), entry.isSymbolicLink()) });
      if (found.length > MAX_FILES) fails(`${MAX_FILES} files at most`, "more");
    }
  };
  walk("");
  return found.sort((a, b) => ((a.key ?? "") < (b.key ?? "") ? -1 : 1));
}

function contentOf(path: string, isLink: boolean): string | Link {
  if (isLink) return { linkTo: readlinkSync(path) };
  const { size } = lstatSync(path);
  const text = size > MAX_FILE ? "\0" : readText(path, MAX_FILE);
  if (!text.includes("\0") && !text.includes("\uFFFD")) return text;
  return `${size} bytes, sha256 ${captureFile(path, MAX_HASHED).sha256}`;
}
