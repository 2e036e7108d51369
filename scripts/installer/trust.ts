/**
 * Hook trust. The host skips hooks that nobody trusted, in silence; so does it with hooks whose definition or whose plugin
 * folder changed. Trust is granted through the host's own interface, and only where the user said so.
 */

import { Refusal } from "../../components/errors.ts";
import { withAppServer } from "./app-server.ts";
import { table } from "./config-text.ts";
import { type Host, keepingLineEndings } from "./host.ts";
import { PLUGIN, type Spots } from "./spots.ts";

/** A hook as the host lists it. */
export interface ListedHook {
  readonly key: string;
  readonly event: string;
  readonly matcher: string | null;
  readonly command: string;
  readonly pluginId: string | null;
  readonly source: string;
  readonly hash: string;
  readonly trust: string;
  readonly enabled: boolean;
  readonly timeoutSec: number;
}

/** The hooks that hold in a folder, by the host's own account. @throws Refusal `host_failed` */
export async function listHooks(
  host: Host,
  spots: Spots,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<{ readonly hooks: readonly ListedHook[]; readonly warnings: readonly string[] }> {
  const answer = await keepingLineEndings(spots, () =>
    withAppServer(host, spots, env, (call) => call("hooks/list", { cwds: [cwd] })),
  );
  return readList(answer);
}

/**
 * Trusts our plugin's hooks as they are now. The host must list exactly the hooks that the plugin declares.
 * @returns the host's hash by key
 * @throws Refusal `host_failed`
 */
export async function trustHooks(
  host: Host,
  spots: Spots,
  env: NodeJS.ProcessEnv,
  keys: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const cwds = { cwds: [spots.codexHome] };
  const hooks = await keepingLineEndings(spots, () =>
    withAppServer(host, spots, env, async (call) => {
      const ours = readList(await call("hooks/list", cwds)).hooks.filter((hook) => isOurs(hook, keys));
      const value = Object.fromEntries(ours.map((hook) => [hook.key, { trusted_hash: hook.hash }]));
      await call("config/batchWrite", {
        edits: [{ keyPath: "hooks.state", value, mergeStrategy: "upsert" }],
        reloadUserConfig: true,
      });
      return readList(await call("hooks/list", cwds)).hooks.filter((hook) => isOurs(hook, keys));
    }),
  );
  const trusted = hooks.filter((hook) => hook.trust === "trusted");
  const lacking = keys.filter((key) => !trusted.some((hook) => hook.key === key));
  if (lacking.length > 0)
    throw new Refusal("host_failed", "The host did not take the trust for every hook.", {
      expected: `${keys.length} trusted hooks`,
      found: `not trusted: ${lacking.join(" ")}`,
      next: ["trust them in codex: /hooks", "proofgate doctor"],
    });
  return Object.fromEntries(trusted.map((hook) => [hook.key, hook.hash]));
}

const isOurs = (hook: ListedHook, keys: readonly string[]): boolean =>
  hook.pluginId === PLUGIN && keys.includes(hook.key);

function readList(answer: unknown): { hooks: ListedHook[]; warnings: string[] } {
  const data = table(answer).data;
  const entries = (Array.isArray(data) ? data : []).map(table);
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return {
    hooks: entries
      .flatMap((entry) => list(entry.hooks))
      .map(table)
      .map((hook) => ({
        key: text(hook.key),
        event: text(hook.eventName),
        matcher: typeof hook.matcher === "string" ? hook.matcher : null,
        command: text(hook.command),
        pluginId: typeof hook.pluginId === "string" ? hook.pluginId : null,
        source: text(hook.sourcePath) || text(hook.source),
        hash: text(hook.currentHash),
        trust: text(hook.trustStatus),
        enabled: hook.enabled !== false,
        timeoutSec: typeof hook.timeoutSec === "number" ? hook.timeoutSec : 600,
      })),
    warnings: entries
      .flatMap((entry) => [...list(entry.warnings), ...list(entry.errors)])
      .map((value) => (typeof value === "string" ? value : JSON.stringify(value))),
  };
}
