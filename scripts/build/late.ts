/**
 * Makes a chunk load what it imports where it is first used, and not when the chunk itself is loaded: a command needs a part
 * of the modules that it could need, and of Node's own. No module of ours does anything when it is loaded but define things.
 */

/** Node's modules that every start has loaded already. */
const LOADED = /^"node:(?:fs|path)"$/;

/** How Bun says what a chunk exports, behind the helpers that it puts into each. */
const EXPORTS =
  /^([\s\S]*?)var (exports_chunk_\w+)=\{\};__export\(\2,\{([^}]*)\}\);module\.exports=__toCommonJS\(\2\);/;

/** Exports without helpers, which would be compiled and run once for each chunk. */
function lean(text: string): string {
  const [head, helpers = "", , names = ""] = EXPORTS.exec(text) ?? [""];
  if (head === "") return text;
  const rest = text.slice(head.length);
  const getters = names.replace(/([\w$]+):\(\)=>([\w$.]+)/g, "get $1(){return $2}");
  if (getters.includes("=>")) throw new Error("a chunk exports in a way that build/late.ts does not know");
  return `${/\b__\w+\b/.test(rest.replace(/\.__\w+/g, "")) ? helpers : ""}module.exports={${getters}};${rest}`;
}

/** @param text a chunk as CommonJS, as Bun writes it */
export function late(text: string): string {
  const imports = new Map<string, string>();
  // Bun's wrapper around Node's own modules copies every member, for nothing.
  const declared = lean(text.replace(/__toESM\d*\((require\("node:[^"]+"\))\)/g, "$1"))
    // `createRequire` loads Node's whole loader for modules; a CommonJS file has a `require`.
    .replace(/\b[\w.]+\.createRequire\("[^"]*"\)/g, "require")
    .replace(/\b(import_\w+)=(require\(("[^"]+")\))/g, (whole, name: string, load: string, id: string) => {
      if (LOADED.test(id)) return whole;
      imports.set(name, load);
      return `${name}=0`;
    })
    // A package in CommonJS: its function and Bun's wrapper remember what they made.
    .replace(/\b(import_\w+)=(__toESM\d*\([\w.]+\(\),1\))/g, (_, name: string, load: string) => {
      imports.set(name, load);
      return `${name}=0`;
    });
  const short = (name: string): string => `i${[...imports.keys()].indexOf(name)}`;
  // A getter, since what it stands for may follow `new`.
  const put = (from: string): string =>
    from.replace(/\b(import_\w+)\b(?!=0)/g, (name) => (imports.has(name) ? `$late.${short(name)}` : name));
  const getters = [...imports].map(([name, load]) => `get ${short(name)}(){return ${put(load)}}`);
  const done = `${getters.length > 0 ? `const $late={${getters.join(",")}};` : ""}${put(declared)}`;
  if (/createRequire\(/.test(done)) throw new Error("a chunk asks for createRequire");
  return done;
}
