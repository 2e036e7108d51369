/** What the performance demo works on: the package `picomatch` as it is, its benchmark, its test, and what is tried to make it faster. */

import type { Edit, Published } from "./published.ts";

export const PICOMATCH: Published = { name: "picomatch", version: "4.0.7" };

/** The file with the slow path. Nothing was put into it: the published package compiles at every call. */
export const SOURCE = "lib/picomatch.js";
export const SLOW = "picomatch.isMatch = (str, patterns, options) => picomatch(patterns, options)(str);";

/** The fastest round counts, as in most benchmarks: what disturbs one hardly disturbs all five. */
export const BENCH = `// How long isMatch takes to say which of 100 paths are ignored, as a watcher or a linter asks it.
const { isMatch } = require('.');

const IGNORED = ['**/node_modules/**', '**/*.{test,spec}.{js,ts}', 'dist/**', '!(src|lib)/**/*.map'];
const paths = Array.from({ length: 100 }, (_, i) => \`src/part-\${i % 7}/\${i}.\${i % 5 ? 'js' : 'test.js'}\`);

let fastest = Infinity;
for (let round = 0; round < 5; round++) {
  const started = performance.now();
  for (const path of paths) isMatch(path, IGNORED);
  fastest = Math.min(fastest, performance.now() - started);
}
console.log(\`METRIC match=\${fastest.toFixed(3)}ms\`);
`;

export const TEST = `const test = require('node:test');
const assert = require('node:assert');
const { isMatch } = require('..');

test('one list of patterns is not another', () => {
  assert.equal(isMatch('a.txt', '*.txt'), true);
  assert.equal(isMatch('a.txt', '*.js'), false);
  assert.equal(isMatch('a.txt', ['*.js', '*.txt']), true);
});

test('options count', () => {
  assert.equal(isMatch('.a.txt', '*.txt'), false);
  assert.equal(isMatch('.a.txt', '*.txt', { dot: true }), true);
});
`;

const NAMED = `picomatch.isMatch = (str, patterns, options) => {
  const match = picomatch(patterns, options);
  return match(str);
};`;

const FORGETFUL = `const matchers = new Map();

picomatch.isMatch = (str, patterns, options) => {
  const key = String(patterns);
  if (!matchers.has(key)) matchers.set(key, picomatch(patterns, options));
  return matchers.get(key)(str);
};`;

export const GAIN = `const matchers = new Map();

picomatch.isMatch = (str, patterns, options) => {
  // Options may hold functions, which no key tells apart.
  if (options !== undefined) return picomatch(patterns, options)(str);
  const key = JSON.stringify(patterns);
  let match = matchers.get(key);
  if (match === undefined) {
    match = picomatch(patterns);
    // Patterns that are made up on the way must not fill the memory.
    if (matchers.size === 1000) matchers.clear();
    matchers.set(key, match);
  }
  return match(str);
};`;

const once = (from: string, to: string): Edit => ({ from, to, times: 1 });

/** Another way to write the same: no faster, no slower. */
export const NO_CHANGE = once(SLOW, NAMED);
/** Fast, and wrong: the second call's options are forgotten. */
export const WRONG = once(NAMED, FORGETFUL);
export const RIGHT = once(SLOW, GAIN);
/** The benchmark made to do a tenth of its work. */
export const LESS_WORK = once("length: 100", "length: 10");
