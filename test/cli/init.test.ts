/** `proofgate init`: gates proposed from what the repository tests itself with, and a user's own file left alone. */

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeWorld } from "../helpers/world.ts";
import { Host } from "../plugin/host.ts";

const pack = (test: string): string => JSON.stringify({ name: "p", version: "1.0.0", scripts: { test } });

test("the repository's own test commands become gates, and hold in the host", async () => {
  const world = await makeWorld({ "package.json": pack("node gate.js"), "gate.js": "process.exit(1);\n" });
  const dry = await world.ask("init", "--dry-run");
  expect(dry.json).toMatchObject({ written: false, gates: ["npm test"] });
  expect(existsSync(join(world.root, ".proofgate.yaml"))).toBe(false);
  expect((await world.ask("init")).json).toMatchObject({ written: true, gates: ["npm test"] });
  const host = new Host(world);
  await host.hook("start");
  await host.create("Make it better");
  expect(await host.update("complete")).toMatch(/gate `npm test`: exit 1/);
  world.write("gate.js", "process.exit(0);\n");
  expect(await host.update("complete")).toBeNull();
});

test("each kind of project is known by its manifest", async () => {
  const cases: readonly [Record<string, string>, readonly string[]][] = [
    [{ "package.json": pack('echo "Error: no test specified" && exit 1') }, []],
    [{ "package.json": pack("vitest"), "pnpm-lock.yaml": "lockfileVersion: 9\n" }, ["pnpm test"]],
    [{ "pyproject.toml": "[tool.pytest.ini_options]\n" }, ["pytest"]],
    [{ "Cargo.toml": '[package]\nname = "p"\n' }, ["cargo test"]],
    [{ "go.mod": "module example.com/p\n" }, ["go test ./..."]],
    [{ Makefile: "build:\n\ttrue\ntest: build\n\ttrue\n" }, ["make test"]],
    [{ "package.json": "not JSON" }, []],
  ];
  for (const [files, gates] of cases)
    expect((await (await makeWorld(files)).ask("init", "--dry-run")).json.gates).toEqual(gates);
});

test("a file that is there stays as it is, and what could be added is named", async () => {
  const own = "# mine\ngates: [make lint]\n";
  const world = await makeWorld({ ".proofgate.yaml": own, "package.json": pack("node a.js") });
  const said = await world.run(["init"]);
  expect(said.exit).toBe(0);
  expect(said.out).toMatch(/there already, with gates: make lint[\s\S]*could be added to gates: npm test/);
  expect(world.read(".proofgate.yaml")).toBe(own);
});
