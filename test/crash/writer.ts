/** A process that writes to a toy box until it is done or killed: `writer.ts times|forever|hold <root> <name> <amount>`. */

import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Lock } from "../../components/journal/lock.ts";
import { boxAt } from "../journal/toy.ts";

const [mode, root = "", name = "", amount = "0"] = process.argv.slice(2);
const box = boxAt(root);

/** One synchronous write, so that what was said is in the pipe when a kill comes. */
function say(line: string): void {
  fs.writeSync(1, `${line}\n`);
}

function commits(count: number): void {
  for (let i = 1; i <= count; i++) {
    const note = `${name}-${i}`;
    const seq = box.add(note);
    say(`${seq} ${note}`);
  }
}

/** Holds the lock as a long command does, with signs of life. */
async function hold(ms: number): Promise<void> {
  const lock = Lock.acquire(box.dir);
  say("held");
  for (const start = performance.now(); performance.now() - start < ms; ) {
    await sleep(50);
    lock.beat();
  }
  lock.assertHeld();
  lock.release();
  say("released");
}

if (mode === "times") commits(Number(amount));
else if (mode === "forever") commits(Number.POSITIVE_INFINITY);
else if (mode === "hold") await hold(Number(amount));
else throw new TypeError(`unknown mode "${mode}"`);
