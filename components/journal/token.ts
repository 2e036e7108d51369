/** A name that no other process takes at the same time: for locks and temporary files. */

/**
 * Not from `node:crypto`, whose random numbers cost a cold start more than everything else that a command does. It need
 * not be secret: it has to differ between processes, also between those that see the same pid from their own namespaces.
 */
export const token = (): string =>
  [process.pid, process.hrtime.bigint(), Math.random() * 2 ** 52, Math.random() * 2 ** 52]
    .map((part) => BigInt(typeof part === "number" ? Math.floor(part) : part).toString(36))
    .join("-");
