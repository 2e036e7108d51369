/** Tests how a check is made and versioned, whether it can fail at all, and which files it consists of. */
import { expect, test } from "bun:test";
import { RUNNERS } from "../../components/evidence/channels/index.ts";
import {
  assertPattern,
  checkVersion,
  describeCommand,
  makeCheck,
  parseTimeout,
  patternTest,
} from "../../components/evidence/check.ts";
import { checkFiles, namedFiles } from "../../components/evidence/check-files.ts";
import { simpleCommands } from "../../components/evidence/shell-words.ts";
import type { Command, Tree } from "../../components/evidence/types.ts";
import { vacuous } from "../../components/evidence/vacuity.ts";

test("a check has defaults, and the same check the same version", () => {
  const check = makeCheck({ run: " npm test " });
  expect(check).toEqual({
    channel: "cli",
    run: "npm test",
    cwd: "",
    expect: { exit: 0 },
    timeoutMs: 120000,
    files: null,
    covers: null,
  });
  expect(checkVersion(check)).toMatch(/^[0-9a-f]{16}$/);
  const spelled = makeCheck({
    covers: null,
    files: null,
    timeoutMs: 120000,
    expect: { stdout: undefined, exit: 0 },
    cwd: "./",
    run: "npm test",
    channel: "cli",
  });
  expect(checkVersion(spelled)).toBe(checkVersion(check));
  for (const other of [
    { run: "npm t" },
    { run: "npm test", cwd: "a" },
    { run: "npm test", expect: { exit: 1 } },
    { run: "npm test", expect: { stdout: "" } },
    { run: ["npm", "test"] },
  ])
    expect(checkVersion(makeCheck(other))).not.toBe(checkVersion(check));
});

test("a command is shown as it would be typed", () => {
  expect(describeCommand({ run: "npm test" })).toBe("npm test");
  expect(describeCommand(makeCheck({ run: ["node", "a b.js", "it's"], cwd: "app/" }))).toBe(
    "(cd app && node 'a b.js' 'it'\\''s')",
  );
});

test("a pattern is a substring, or a regular expression between slashes", () => {
  expect(patternTest("a.c")("abc")).toBe(false);
  expect(patternTest("/a.c/")("abc")).toBe(true);
  expect(patternTest("/^B$/im")("a\nb")).toBe(true);
  expect(patternTest("/usr/bin/")("see /usr/bin/x")).toBe(true);
  const repeated = patternTest("/a/g");
  expect([repeated("a"), repeated("a")]).toEqual([true, true]);
  expect(() => assertPattern("/(/", "--expect-stdout")).toThrow("--expect-stdout");
  expect(() => assertPattern("(")).not.toThrow();
});

test("a timeout has a unit, or is in seconds", () => {
  expect(["60s", "2m", "500ms", "1h", "5", 5, "1.5s"].map(parseTimeout)).toEqual([
    60000, 120000, 500, 3600000, 5000, 5000, 1500,
  ]);
  for (const bad of ["", "soon", "-1s", "0", "9h", "1d"]) expect(() => parseTimeout(bad)).toThrow();
});

const CANNOT_FAIL = [
  "true",
  ":",
  "echo PASS",
  "printf ok",
  "exit 0",
  "",
  "# npm test",
  "sleep 3",
  "npm test || true",
  "npm test || :",
  "npm test || exit 0",
  "npm test || echo failed",
  "npm test || { echo bad; }",
  "(npm test) || echo failed",
  "npm test; true",
  "npm test; exit 0",
  "npm test; echo done",
  "npm test\ntrue",
  "npm test & true",
  "npm test && true || true",
  "set +e; npm test; echo ok",
  "npm test | tail -5",
  "npm test 2>&1 | tee log",
  "npm test | cat",
  "npm test | grep x | sort",
  "test 1",
  "[ 1 ]",
  "[ 1 = 1 ]",
  "[[ a == a ]]",
  'node -e ""',
  `python3 -c 'print("ok")'`,
  "echo a && echo b",
  "cd . && echo ok",
  "npm publish --dry-run",
  "make -n",
  "npm --version",
  "node --help",
  "pytest --collect-only",
  "sh -c true",
  "bash -c 'npm test || true'",
  "if npm test; then echo ok; else echo no; fi",
];

const CAN_FAIL = [
  "npm test",
  "grep -q x f",
  "! grep -q x f",
  "test -f a",
  "[ -s out.txt ]",
  'test -n "$(git tag)"',
  '[ "$(cat a)" = hi ]',
  "diff <(a b) c",
  "curl -s x | jq -e .ok",
  "cat a b | grep -q x",
  "npm test | grep -c pass",
  "echo hi | ./prog",
  "npm test && echo ok",
  "npm run build && true",
  "cd app && npm test",
  "npm test > log 2>&1",
  "set -e; npm test; echo ok",
  "set -o pipefail; npm test | tee log",
  "bash -o pipefail -c 'npm test | tee log'",
  "npm test || exit 1",
  "npm test || { echo bad; exit 1; }",
  "for f in *.sh; do sh $f || exit 1; done; echo all",
  "if ! npm test; then exit 1; fi",
  "false || npm test",
  `node -e 'require("./a")() === 3 || process.exit(1)'`,
  "python3 -c 'import mypkg'",
  "sed -n '/x/!q1' f",
  "./prog --version",
  "./prog --dry-run",
  "node cli.js --dry-run",
  "cat README.md",
];

test.each(CANNOT_FAIL)("%p cannot fail", (run) => {
  expect(vacuous(makeCheck({ run }))).toBeString();
});

test.each(CAN_FAIL)("%p can fail", (run) => {
  expect(vacuous(makeCheck({ run }))).toBeNull();
});

test("an expectation on the output makes up for a hidden status, but not for printing what is wanted", () => {
  const looks = (run: Command): string | null => vacuous(makeCheck({ run, expect: { stdout: "ok" } }));
  for (const run of [
    "npm test | tee log",
    "npm test; echo done",
    "npm test || true",
    "echo hi | ./prog",
    'echo "$(cat x)"',
    "npm --version",
    "cat out.txt",
  ])
    expect([run, looks(run)]).toEqual([run, null]);
  for (const run of [
    "echo ok",
    "printf '%s' ok | cat",
    `node -e 'console.log("ok")'`,
    ["echo", "ok"],
    ["sh", "-c", "echo ok"],
  ])
    expect([run, looks(run)]).toEqual([run, expect.any(String)]);
});

test("a shell line is taken apart without being run", () => {
  const words = (line: string): string[] => simpleCommands(line).map((one) => one.words.join("\xB7"));
  expect(words(`A=1 node 'a b.js' "c" 2>&1 | tee log > out`)).toEqual(["node\xB7a b.js\xB7c", "tee\xB7log"]);
  expect(words("cat <<EOF | ./prog\nfoo | bar\nEOF\nnpm test")).toEqual(["cat", "./prog", "npm\xB7test"]);
  expect(words('for f in a b; do sh -c "echo $f && exit 0"; done')).toEqual(["echo\xB7$f", "exit\xB70"]);
  expect(simpleCommands("a && ! b; c").map((one) => [one.before, one.negated])).toEqual([
    ["", false],
    ["&&", true],
    [";", false],
  ]);
  for (const odd of ["'", '"', "$(", "`", "a |", "&& b", "((", "<<", "a\\"])
    expect(() => simpleCommands(odd)).not.toThrow();
});

const tree = (...paths: string[]): Tree => ({
  id: "",
  files: new Map(paths.sort().map((path) => [path, "1"])),
});

const PROJECT = tree(
  "README.md",
  "package.json",
  "Makefile",
  "import.js",
  "verify.sh",
  "src/a.js",
  "src/a.test.js",
  "src/features/login.ts",
  "src/testing.js",
  "test/b.test.js",
  "test/helper.js",
  "fixtures/a.csv",
  "tests/data/expected.json",
  "app/test_x.py",
  "scripts/check-it.py",
);

const SUITE = [
  "app/test_x.py",
  "fixtures/a.csv",
  "src/a.test.js",
  "test/b.test.js",
  "test/helper.js",
  "tests/data/expected.json",
];

test.each([
  ["npm test", SUITE, [], []],
  ["make check", SUITE, [], []],
  ["python3 -m pytest -q", SUITE, [], []],
  ["npx vitest run", SUITE, [], []],
  ["node --test", SUITE, [], []],
  ["npx vitest run src/a.test.js", ["src/a.test.js"], [], []],
  ["npm test -- test/b.test.js:12", ["test/b.test.js", "test/helper.js"], [], []],
  ["node --test test/", ["test/b.test.js", "test/helper.js"], [], []],
  ["python3 -m pytest app/test_x.py::test_one", ["app/test_x.py"], [], []],
  ["sh verify.sh", ["verify.sh"], ["verify.sh"], []],
  ["node import.js fixtures/a.csv", ["fixtures/a.csv", "import.js"], ["import.js"], []],
  ["cd src && node a.js", ["src/a.js"], ["src/a.js"], []],
  [
    "env X=1 timeout 5 python3 scripts/check-it.py README.md",
    ["scripts/check-it.py"],
    ["scripts/check-it.py"],
    [],
  ],
  ["./verify.sh", ["verify.sh"], ["verify.sh"], []],
  ["node import.js < fixtures/a.csv", ["fixtures/a.csv", "import.js"], ["import.js"], []],
  ["grep -q Install README.md", [], [], ["README.md"]],
  ["! grep -rq TODO src/a.test.js", [], [], ["src/a.test.js"]],
  ["test -f src/a.js && jq -e .x package.json", [], [], ["package.json", "src/a.js"]],
  [
    "diff <(node import.js) tests/data/expected.json",
    ["import.js", "tests/data/expected.json"],
    ["import.js"],
    [],
  ],
  ["node /somewhere/repo/test/b.test.js", ["test/b.test.js", "test/helper.js"], ["test/b.test.js"], []],
  ["node -e 'x'", [], [], []],
  ["curl -s http://x/test", [], [], []],
])(
  "%p consists of its own files, executes its scripts, and inspects the rest",
  (run, own, scripts, inspected) => {
    expect(checkFiles(makeCheck({ run }), PROJECT, null)).toEqual({ own, scripts, inspected });
  },
);

test("files that are named for a check are its own, and nothing else; what it executes is still known", () => {
  expect(
    checkFiles(makeCheck({ run: "node import.js fixtures/a.csv", files: ["fixtures/*.csv"] }), PROJECT, null),
  ).toEqual({ own: ["fixtures/a.csv"], scripts: ["import.js"], inspected: [] });
  expect(checkFiles(makeCheck({ run: "npm test", files: [] }), PROJECT, null).own).toEqual([]);
});

test("a command's words are named as paths although Git ignores them", () => {
  expect(namedFiles(makeCheck({ run: "node dist/app.js --config=conf/x.json | grep ok out.log" }))).toEqual(
    expect.arrayContaining(["conf/x.json", "dist/app.js", "out.log"]),
  );
});

test("data needs something to look at; channels without a runner are known", () => {
  expect(RUNNERS.data?.fault(makeCheck({ run: "x", channel: "data" }))).toBeString();
  expect(
    RUNNERS.data?.fault(makeCheck({ run: "x", channel: "data", expect: { json: { ok: true } } })),
  ).toBeNull();
  expect(RUNNERS.cli?.fault(makeCheck({ run: "x" }))).toBeNull();
  expect(Object.keys(RUNNERS)).toEqual(["cli", "data", "http", "tmux", "browser", "computer"]);
});
