/** What can be said of a goal from its JSON without parsing it: most commands ask most goals no more than this. */

const ID = '{"id":"';
/** `bare` in reduce.ts, and whoever makes a goal, put the status behind the cycles. A text cannot hold this: its `"` are escaped. */
const CYCLES = '"cycles":';
const STATUS = /^"cycles":\d+,"status":"([a-z_]+)"/;

/** @returns null where only the whole goal can tell */
export function peekGoal(
  body: Buffer,
  start: number,
): { readonly id: string; readonly status: string } | null {
  const id = start + ID.length;
  const at = body.indexOf(CYCLES, id);
  const status = at < 0 ? undefined : STATUS.exec(body.toString("latin1", at, at + 48))?.[1];
  return status === undefined ? null : { id: body.toString("latin1", id, body.indexOf(34, id)), status };
}
