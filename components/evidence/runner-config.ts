/** The configuration that decides what a runner runs: as much a part of the check as the tests themselves. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { showFile } from "./git.ts";

/** Files that tell runners, linters and build tools what to do. Laid over the base whole. */
const CONFIG_NAMES: readonly RegExp[] = [
  /^(jest|vitest|vite|playwright|ava|karma|cypress|wdio|eslint|stylelint|prettier)\.(config|conf|workspace)\.[^/]+$/,
  /^\.(mocharc|eslintrc|stylelintrc|prettierrc|rspec|flake8|taprc|nycrc|c8rc)(\.[^/]+)?$/,
  /^(pytest|tox|mypy)\.ini$/,
  /^(ruff|bunfig|nextest)\.toml$/,
  /^(noxfile|conftest)\.py$/,
  /^(pyproject\.toml|setup\.cfg|phpunit\.xml(\.dist)?|biome\.jsonc?|deno\.jsonc?)$/,
  /^(GNUm|M|m)akefile$|\.mk$|^[Jj]ustfile$|^Taskfile\.ya?ml$|^Rakefile$/,
];
/** The keys of package.json that belong to runners; everything else in it is the product's. */
const PACKAGE_KEYS = [
  "scripts",
  "jest",
  "vitest",
  "mocha",
  "ava",
  "tap",
  "c8",
  "nyc",
  "eslintConfig",
  "eslintIgnore",
] as const;

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const isPackage = (path: string): boolean => nameOf(path) === "package.json";

/** Whether a path is one of these files; package.json counts for its runner keys. */
export const isRunnerConfig = (path: string): boolean =>
  isPackage(path) || CONFIG_NAMES.some((form) => form.test(nameOf(path)));

export interface RunnerConfig {
  /** Files whose content differs from the base's, laid over it as they are today. */
  readonly paths: readonly string[];
  /** Files that the base gets with a content of their own: its package.json with today's runner keys. */
  readonly patches: ReadonlyMap<string, string>;
  /** Configuration that the base has and today's tree has not: left out there as well. */
  readonly removed: readonly string[];
}

/**
 * What of the configuration changed since the base. A suite whose script became `exit 0`, or whose configuration leaves the
 * failing test out, then passes on the base too, and is pinned instead of red.
 * @param before paths and blob ids of the base commit
 * @param today paths and content ids of the working tree
 */
export async function changedConfig(
  root: string,
  base: string,
  before: ReadonlyMap<string, string>,
  today: ReadonlyMap<string, string>,
): Promise<RunnerConfig> {
  const paths: string[] = [];
  const patches = new Map<string, string>();
  for (const [path, id] of today) {
    if (before.get(path) === id || !isRunnerConfig(path)) continue;
    if (!isPackage(path) || !before.has(path)) paths.push(path);
    else {
      const patched = withRunnerKeys(
        await showFile(root, base, path),
        readFileSync(join(root, path), "utf8"),
      );
      if (patched !== null) patches.set(path, patched);
    }
  }
  const removed = [...before.keys()].filter(
    (path) => isRunnerConfig(path) && !isPackage(path) && !today.has(path),
  );
  return { paths, patches, removed };
}

/** A package.json with another one's runner keys; null when they do not differ, or one of the two does not parse. */
export function withRunnerKeys(product: string | null, runner: string | null): string | null {
  const [keeps, gives] = [parse(product), parse(runner)];
  if (keeps === null || gives === null) return null;
  const changed = PACKAGE_KEYS.filter((key) => JSON.stringify(keeps[key]) !== JSON.stringify(gives[key]));
  if (changed.length === 0) return null;
  const merged: Record<string, unknown> = { ...keeps };
  for (const key of changed) merged[key] = gives[key];
  return `${JSON.stringify(merged, null, 2)}\n`;
}

function parse(text: string | null): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
