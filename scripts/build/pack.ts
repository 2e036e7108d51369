/**
 * Packs chunks into few files. Opening, reading and compiling one more file costs a command as much as 20 KB of code, and a
 * command that loads a dozen chunks spends more on that than on its work. So everything that one command needs lies in one
 * file, also where several files then hold the same chunk: a chunk is made once in a process, whichever file it came from.
 */

/** CommonJS text of each chunk by its name, for instance `chunk-abc.js`. */
export type Chunks = ReadonlyMap<string, string>;

/** Names of chunks that few runs of the chunks around them need: they begin a file of their own. */
type Cold = ReadonlySet<string>;

/**
 * A chunk above this many bytes that several commands share stays in a file of its own. With some thirty commands a larger
 * bound makes none of them faster, and the package half as large again.
 */
const OWN_FILE = 2_000;

const STATIC = /\brequire\("\.\/([^"]+)"\)/g;
const LAZY = /\bimport\("\.\/([^"]+)"\)/g;

const named = (pattern: RegExp, text: string): readonly string[] =>
  [...text.matchAll(pattern)].flatMap(([, name]) => (name === undefined ? [] : [name]));

/** The chunk and all that it is likely to need. */
function closure(chunks: Chunks, cold: Cold, name: string, into = new Set<string>()): Set<string> {
  if (into.has(name)) return into;
  into.add(name);
  for (const other of named(STATIC, textOf(chunks, name)))
    if (!cold.has(other)) closure(chunks, cold, other, into);
  return into;
}

function textOf(chunks: Chunks, name: string): string {
  const text = chunks.get(name);
  if (text === undefined) throw new Error(`no chunk ${name}`);
  return text;
}

/**
 * @param entry the chunk that the program begins with
 * @returns the files to write, by name
 */
export function pack(all: Chunks, entry: string, cold: Cold): ReadonlyMap<string, string> {
  const wanted = reachable(all, entry);
  const chunks = new Map([...all].filter(([name]) => wanted.has(name)));
  const first = closure(chunks, cold, entry);
  const lazy = [...chunks.values()].flatMap((text) => named(LAZY, text));
  const targets = [...new Set([...lazy, ...[...cold].filter((name) => wanted.has(name))])].sort();
  const needs = new Map(
    targets.map((target) => [target, [...closure(chunks, cold, target)].filter((name) => !first.has(name))]),
  );
  const users = (name: string): number => [...needs.values()].filter((names) => names.includes(name)).length;
  const alone = new Set(
    [...needs.values()].flat().filter((name) => users(name) > 1 && textOf(chunks, name).length > OWN_FILE),
  );
  const files = new Map<string, string>();
  files.set(
    entry,
    `${loader(
      [...first].filter((name) => name !== entry),
      chunks,
    )}${body(textOf(chunks, entry))}`,
  );
  for (const [target, names] of needs) {
    if (first.has(target) || alone.has(target)) continue;
    files.set(
      target,
      `module.exports={${defined(
        names.filter((name) => !alone.has(name)),
        chunks,
      )}};`,
    );
  }
  for (const name of alone) files.set(name, `module.exports={${defined([name], chunks)}};`);
  return files;
}

/** What the entry could ever load. */
function reachable(chunks: Chunks, name: string, into = new Set<string>()): Set<string> {
  if (into.has(name)) return into;
  into.add(name);
  const text = textOf(chunks, name);
  for (const other of [...named(STATIC, text), ...named(LAZY, text)]) reachable(chunks, other, into);
  return into;
}

/** `$load` runs a chunk when it is first asked for, from the files that are loaded, else from the file of its name. */
const loader = (names: readonly string[], chunks: Chunks): string =>
  `const $texts={${defined(names, chunks)}},$made={};` +
  "function $load(id){const made=$made[id];if(made)return made.exports;" +
  "if(!$texts[id]){const more=require(id);for(const name in more)$texts[name]??=more[name]}" +
  "const module=$made[id]={exports:{}};$texts[id](module.exports,module,$load);return module.exports}\n";

const defined = (names: readonly string[], chunks: Chunks): string =>
  names
    .map((name) => `"./${name}":function(exports,module,$load){${body(textOf(chunks, name))}\n}`)
    .join(",\n");

const body = (text: string): string =>
  text.replace(STATIC, '$load("./$1")').replace(LAZY, 'Promise.resolve().then(()=>$load("./$1"))');
