/** A package as it is published, out of this repository's own dependencies, and exact edits of its files. */

import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Published {
  readonly name: string;
  /** The only version that the demo is written for. */
  readonly version: string;
}

/** One exact replacement in a file. It has to apply as often as said, or the demo would tell of something that is not so. */
export interface Edit {
  readonly from: string;
  readonly to: string;
  /** How often `from` stands in the file. */
  readonly times: number;
  /** Replace the first of them only. */
  readonly firstOnly?: boolean;
}

/** Copies a package into an empty folder. @throws Error when it is missing or another version */
export function copyPackage({ name, version }: Published, nodeModules: string, to: string): void {
  const from = join(nodeModules, name);
  const found: unknown = JSON.parse(readFileSync(join(from, "package.json"), "utf8")).version;
  if (found !== version)
    throw new Error(`the demo is written for ${name} ${version}, found ${String(found)}`);
  cpSync(from, to, { recursive: true });
}

/** @throws Error when the text does not hold what is to be replaced, as often as expected */
export function edited(text: string, edit: Edit): string {
  const found = text.split(edit.from).length - 1;
  if (found !== edit.times)
    throw new Error(`expected ${JSON.stringify(edit.from)} ${edit.times} times, found it ${found} times`);
  return edit.firstOnly === true ? text.replace(edit.from, edit.to) : text.replaceAll(edit.from, edit.to);
}
