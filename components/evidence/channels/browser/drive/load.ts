/** Loads the libraries of this channel. In the built program they are packed, which takes a sixth of the room on disk. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliDecompressSync } from "node:zlib";

export type Library = typeof import("./library.ts");

/** Beside the driver. Written by scripts/build/channels.ts. */
const PACKED = "library.mjs.br";

let loaded: Promise<Library> | null = null;

/** @param folder of this run, for what is unpacked */
export function library(folder: string): Promise<Library> {
  loaded ??= load(folder);
  return loaded;
}

async function load(folder: string): Promise<Library> {
  const packed = fileURLToPath(new URL(PACKED, import.meta.url));
  if (!existsSync(packed)) return import("./library.ts");
  const path = join(folder, "library.mjs");
  writeFileSync(path, brotliDecompressSync(readFileSync(packed)), { mode: 0o600 });
  return import(pathToFileURL(path).href);
}
