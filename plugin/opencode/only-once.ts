/**
 * One copy acts. A configuration may name the plugin twice, from two places (the installer's copy, a package of the repository),
 * and the host loads both: each would go on with the work, and it would go on twice.
 */

/** In a place that copies of other versions know as well. */
const KEY = Symbol.for("proofgate.opencode.acting");

/** @param input what the host hands to every plugin of one folder: the same object for all of them */
export function isFirst({ client }: { readonly client: object }): boolean {
  const shared = globalThis as { [KEY]?: WeakSet<object> };
  shared[KEY] ??= new WeakSet();
  if (shared[KEY].has(client)) return false;
  shared[KEY].add(client);
  return true;
}
