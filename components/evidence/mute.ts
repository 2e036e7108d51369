/**
 * A sandbox that forbids sockets may make Node mute: its pipes to children are sockets, a child that may not ask what its
 * standard output is throws away what it prints, and whoever reads it gets nothing. No error says so.
 */

import { spawn } from "node:child_process";

/** For a child that prints one letter. */
const LIMIT_MS = 5000;

/** Tries it: what a child of Node prints does not arrive here. Under another runtime than Node the answer is false. */
export function mutesChildren(): Promise<boolean> {
  return new Promise((resolve) => {
    let heard = "";
    const child = spawn(process.execPath, ["-e", "console.log('x')"], {
      stdio: ["ignore", "pipe", "ignore"],
      timeout: LIMIT_MS,
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      heard += text;
    });
    child.on("error", () => resolve(false));
    child.on("close", (exit) => resolve(exit === 0 && heard === ""));
  });
}
