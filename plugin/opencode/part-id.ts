/** Ids of message parts in the host's form: it refuses a part without one, and sorts by them. */

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
let last = 0;

/** `prt_`, twelve hex digits of the time in 1/4096 ms, and fourteen letters. */
export function partId(): string {
  // Two in one millisecond stay in their order.
  last = Math.max(last + 1, Date.now() * 4096);
  const time = (BigInt(last) & 0xffffffffffffn).toString(16).padStart(12, "0");
  const random = crypto.getRandomValues(new Uint8Array(14));
  return `prt_${time}${[...random].map((byte) => LETTERS[byte % LETTERS.length]).join("")}`;
}
