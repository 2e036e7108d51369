/** Everything that the plan depends on, read and not changed. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Ours, oursIn, readToml, table } from "./config-text.ts";
import { digestFolder, digestIf, textIf } from "./files.ts";
import type { Host } from "./host.ts";
import { type Link, linksNow } from "./links.ts";
import { type InstallRecord, readRecord } from "./record.ts";
import { readSource, type Source } from "./source.ts";
import { projectConfig, projectRoles, type Spots } from "./spots.ts";

export interface Role {
  readonly from: string;
  readonly path: string;
  readonly wanted: string;
  /** SHA-256 of what is there; null when there is nothing. */
  readonly found: string | null;
}

export interface Facts {
  readonly spots: Spots;
  readonly host: Host;
  readonly source: Source;
  readonly record: InstallRecord | null;
  readonly scope: "user" | "project";
  /** The repository, in project scope. */
  readonly root: string | null;
  /** Of our copy of the marketplace. */
  readonly market: string | null;
  /** Of the host's copy of the plugin in this version. */
  readonly cached: string | null;
  readonly config: Ours;
  readonly project: Ours | null;
  /** The user told the host to trust the project; in others it reads no configuration. */
  readonly projectTrusted: boolean;
  readonly roles: readonly Role[];
  readonly links: readonly Link[];
}

interface Wish {
  readonly scope: "user" | "project";
  readonly root: string | null;
  /** Folder of the marketplace to install from. */
  readonly market: string;
}

/** @throws Refusal `host_config`, `plugin_missing`, `install_conflict` */
export function readFacts(spots: Spots, host: Host, wish: Wish): Facts {
  const source = readSource(wish.market);
  const record = readRecord(spots);
  const roles = wish.root === null ? spots.roles : projectRoles(wish.root);
  const file = wish.root === null ? null : projectConfig(wish.root);
  const text = textIf(spots.config);
  const projects = table(text === null ? null : readToml(text, spots.config).projects);
  return {
    spots,
    host,
    source,
    record,
    scope: wish.scope,
    root: wish.root,
    market: digestFolder(spots.market),
    cached: digestFolder(join(spots.cache, source.version)),
    config: oursIn(text, spots.config),
    project: file === null ? null : oursIn(textIf(file), file),
    projectTrusted: wish.root !== null && table(projects[wish.root]).trust_level === "trusted",
    roles: source.roles.map(({ name, path: from, sha }) => {
      const path = join(roles, name);
      return { from, path, wanted: sha, found: digestIf(path) };
    }),
    links: existsSync("/bin/sh") ? linksNow(spots, join(spots.market, source.program), record) : [],
  };
}
