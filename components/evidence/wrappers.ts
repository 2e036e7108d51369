/** Looks through programs that only start another one: `env`, `timeout 60`, `npx`, `uv run`. */

const MAX_WRAPPERS = 5;

/** Programs that only start another one, with the number of their own words to skip by rule. */
const WRAPPERS: Readonly<Record<string, (words: readonly string[]) => number>> = {
  env: (words) => skipFlags(words, 1, ["-u", "-C", "-S"], true),
  nice: (words) => skipFlags(words, 1, ["-n"], false),
  nohup: () => 1,
  time: (words) => skipFlags(words, 1, ["-f", "-o"], false),
  timeout: (words) => skipFlags(words, 1, ["-s", "-k"], false) + 1,
  gtimeout: (words) => skipFlags(words, 1, ["-s", "-k"], false) + 1,
  stdbuf: (words) => skipFlags(words, 1, [], false),
  setsid: (words) => skipFlags(words, 1, [], false),
  exec: () => 1,
  command: () => 1,
  "xvfb-run": (words) => skipFlags(words, 1, ["-s", "-n"], false),
  "cross-env": (words) => skipFlags(words, 1, [], true),
  sudo: (words) => skipFlags(words, 1, ["-u"], true),
  npx: (words) => skipFlags(words, 1, ["-p", "--package"], false),
  bunx: (words) => skipFlags(words, 1, [], false),
  c8: (words) => skipFlags(words, 1, ["-r", "--reporter"], false),
  nyc: (words) => skipFlags(words, 1, ["-r", "--reporter"], false),
};
/** The same for two-word wrappers. */
const PAIRED_WRAPPERS = new Set([
  "uv run",
  "poetry run",
  "pipenv run",
  "pdm run",
  "hatch run",
  "rye run",
  "bundle exec",
  "pnpm exec",
  "pnpm dlx",
  "yarn exec",
  "yarn dlx",
  "npm exec",
  "mise exec",
]);

function skipFlags(
  words: readonly string[],
  from: number,
  valued: readonly string[],
  assignments: boolean,
): number {
  let at = from;
  while (at < words.length) {
    const word = words[at] ?? "";
    if (word === "--") return at + 1;
    if (valued.includes(word)) at += 2;
    else if (word.startsWith("-") || (assignments && /^[A-Za-z_][A-Za-z0-9_]*=/.test(word))) at++;
    else break;
  }
  return at;
}

/** The words of a command without `env`, `timeout 60`, `npx`, `uv run` and their like in front. */
export function unwrap(words: readonly string[]): readonly string[] {
  let rest = words;
  for (let round = 0; round < MAX_WRAPPERS; round++) {
    const name = (rest[0] ?? "").replace(/^.*\//, "");
    const skip = WRAPPERS[name];
    let next = rest;
    if (PAIRED_WRAPPERS.has(`${name} ${rest[1] ?? ""}`))
      next = rest.slice(skipFlags(rest, 2, ["--with", "--group", "-p"], false));
    else if (skip !== undefined) next = rest.slice(skip(rest));
    if (next === rest || next.length === 0) return rest;
    rest = next;
  }
  return rest;
}

/** What yarn and pnpm start where no package script is called so. */
const STARTED = new Set(["node", "tsx", "ts-node", "bun"]);

/** The words of `yarn node x.js` and its like without their first one. */
export function withoutRunner(words: readonly string[]): readonly string[] {
  const isRunner = /^(yarn|pnpm)$/.test(programName(words)) && STARTED.has(words[1] ?? "");
  return isRunner ? words.slice(1) : words;
}

/** The last part of a program's path, without the ending that some systems and packages give it. */
export function programName(words: readonly string[]): string {
  return (words[0] ?? "").replace(/^.*\//, "").replace(/\.exe$/, "");
}
