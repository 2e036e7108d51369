/** A screen that nobody else sees or uses: an X server of the run's own, which draws into a file. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errno } from "../../../errors.ts";
import { readText } from "../../capture.ts";
import type { Stage } from "../stage.ts";
import { pictureOf } from "./picture.ts";
import type { Screen, Window } from "./screen.ts";

const FROM = "apt-get install xvfb xdotool (text: xclip)";
const START_MS = 20_000;
const TRIES = 20;
const READ_BYTES = 64 * 1024;
/** Between two characters: some programs lose what comes at once. */
const TYPE_DELAY_MS = 8;

export async function openX(stage: Stage, width: number, height: number): Promise<Screen> {
  const folder = join(process.env.TMPDIR ?? stage.job.out, "x");
  const runtime = join(folder, "run");
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const auth = join(folder, "auth");
  writeFileSync(auth, authority(randomBytes(16)), { mode: 0o600 });
  const display = await serve(stage, folder, auth, `${width}x${height}x24`);
  stage.step(`screen ${display}, ${width}x${height}`);
  const env = {
    DISPLAY: display,
    XAUTHORITY: auth,
    // Ways by which a program would come to the user's own screen after all, or ask a copy of it that runs there already.
    WAYLAND_DISPLAY: "",
    GDK_BACKEND: "x11",
    QT_QPA_PLATFORM: "xcb",
    DBUS_SESSION_BUS_ADDRESS: "disabled:",
    XDG_RUNTIME_DIR: runtime,
    NO_AT_BRIDGE: "1",
  };
  const xdotool = (...args: readonly string[]) => stage.tool("xdotool", args, FROM, env);
  await xdotool("version");
  /** A window that goes away while it looks ends xdotool with an error of X, which says nothing of the others. */
  const listed = async (): Promise<string> => {
    for (let tries = 1; ; tries++) {
      const { exit, stdout, stderr } = await xdotool("search", "--onlyvisible", "--name", ".+");
      // With nothing found it ends with 1 as well, and is silent.
      if (exit === 0 || stderr.trim() === "") return stdout;
      if (tries === TRIES) stage.blocked(`xdotool cannot list the windows: ${stderr.trim().slice(0, 200)}`);
    }
  };
  return {
    env,
    async windows() {
      const stdout = await listed();
      const found: Window[] = [];
      for (const id of stdout.split("\n").filter((one) => /^\d+$/.test(one))) {
        const { exit, stdout: title } = await xdotool("getwindowname", id);
        if (exit === 0) found.push({ id, title: title.replace(/\n$/, "") });
      }
      return found;
    },
    async focus({ id }) {
      await xdotool("windowfocus", id);
    },
    async click({ id }, [x, y], button) {
      await xdotool("mousemove", "--window", id, String(x), String(y), "click", String(button));
    },
    async type(text) {
      await xdotool("type", "--delay", String(TYPE_DELAY_MS), "--", text);
    },
    async keys(keys) {
      const { stdout, stderr } = await xdotool("key", "--delay", String(TYPE_DELAY_MS), "--", ...keys);
      const [, name] = /No such key name '([^']*)'/.exec(stdout + stderr) ?? [];
      if (name !== undefined) stage.unmet(`keys ${keys.join(" ")}`, "names of keys that X knows", name);
    },
    async texts() {
      const found: string[] = [];
      for (const selection of ["clipboard", "primary"]) {
        const { exit, stdout } = await stage.tool("xclip", ["-o", "-selection", selection], FROM, env);
        if (exit === 0) found.push(stdout);
      }
      return found;
    },
    async picture(path) {
      const { png, plain } = pictureOf(readFileSync(join(folder, "Xvfb_screen0")));
      // Not written to the name itself, which a program might have made a link of.
      writeFileSync(`${path}.new`, png, { flag: "wx", mode: 0o600 });
      renameSync(`${path}.new`, path);
      return plain ? "it is all of one colour: nothing can be seen on it" : null;
    },
  };
}

/** Starts the server. It says itself which display it took, so that none is guessed. */
async function serve(stage: Stage, folder: string, auth: string, size: string): Promise<string> {
  const [number, output] = [join(folder, "display"), join(folder, "output")];
  const [to, log] = [openSync(number, "a", 0o600), openSync(output, "a", 0o600)];
  let end: string | null = null;
  const args = [
    "-displayfd",
    "3",
    "-screen",
    "0",
    size,
    "-fbdir",
    folder,
    "-auth",
    auth,
    "-nolisten",
    "tcp",
    "-noreset",
  ];
  const child = spawn("Xvfb", args, { stdio: ["ignore", log, log, to] });
  child.once("error", (error) => {
    end = errno(error) ?? error.message;
  });
  child.once("exit", (exit, signal) => {
    end ??= `exit ${exit ?? signal}`;
  });
  closeSync(to);
  closeSync(log);
  const display = await stage.until(() => {
    const said = readText(number, READ_BYTES);
    return end !== null ? "" : /^\d+\n/.test(said) ? `:${said.trim()}` : null;
  }, START_MS);
  if (display) return display;
  if (end === "ENOENT") stage.blocked(`Xvfb is not installed: ${FROM}`);
  const last = readText(output, READ_BYTES).trim().split("\n").at(-1) ?? "";
  const said = `Xvfb gives no screen (${end ?? `nothing after ${START_MS} ms`}): ${last}`;
  if (stage.sandboxed) stage.inconclusive(said);
  return stage.blocked(said);
}

/** One entry of an authority file (Xau(3)): for every host and display, a cookie. */
function authority(cookie: Buffer): Buffer {
  const counted = (data: Buffer): Buffer => {
    const size = Buffer.alloc(2);
    size.writeUInt16BE(data.length);
    return Buffer.concat([size, data]);
  };
  const nothing = Buffer.alloc(0);
  const parts = [nothing, nothing, Buffer.from("MIT-MAGIC-COOKIE-1"), cookie].map(counted);
  return Buffer.concat([Buffer.from([0xff, 0xff]), ...parts]);
}
