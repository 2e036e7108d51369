/** Finds the installed Chrome or Chromium, and starts it with a profile, a home and an environment of its own. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import type { Browser } from "playwright-core";
import { resolveProgram } from "../../../environment.ts";
import { within } from "../../../within.ts";
import type { Stage } from "../../stage.ts";
import { library } from "./load.ts";

/** Names by which distributions and vendors install it. */
const NAMES = [
  "chromium",
  "chromium-browser",
  "google-chrome-stable",
  "google-chrome",
  "microsoft-edge-stable",
  "microsoft-edge",
];
const APPLICATIONS = ["Google Chrome", "Chromium", "Microsoft Edge"].map(
  (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
);
/** Asked before PATH, which whoever starts the tool can set. */
const FOLDERS = ["/usr/bin", "/usr/local/bin", "/opt/google/chrome", "/snap/bin", "/opt/homebrew/bin"];
const MISSING =
  "no Chrome or Chromium: apt-get install chromium (or brew install --cask google-chrome), or name another path in PROOFGATE_BROWSER";

/** Beside what playwright-core gives by itself: a first run, an account and updates are nobody's business here. */
const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--disable-component-update",
  "--disable-crash-reporter",
  "--no-pings",
  // A page that shows something else to a driver than to a person would prove nothing.
  "--disable-blink-features=AutomationControlled",
  // Only this machine can be reached, by whichever name or number, and by no proxy either.
  "--no-proxy-server",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]",
  "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
];
const LAUNCH_MS = 30_000;

/**
 * The program to start; stops as blocked where there is none. A program in the repository or in a temporary folder is the
 * work of whoever wants to pass, and no browser.
 */
function findBrowser(stage: Stage): string {
  const { root = stage.job.cwd } = stage.job;
  const closed = [root, stage.job.cwd, stage.job.out, tmpdir(), "/tmp", "/var/tmp"].map(real);
  const foreign = (path: string): boolean => closed.every((folder) => !within(real(path), folder));
  const named = process.env.PROOFGATE_BROWSER;
  if (named !== undefined && named !== "") {
    const path = resolveProgram(
      named,
      (process.env.PATH ?? "").split(delimiter).filter(foreign).join(delimiter),
      root,
    );
    if (path === null) stage.blocked(`PROOFGATE_BROWSER names ${named}, which is no program`);
    if (!foreign(path))
      stage.blocked(
        `PROOFGATE_BROWSER names ${named}, which lies in the repository or in a temporary folder: name an installed browser`,
      );
    return path;
  }
  const onPath = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((entry) => isAbsolute(entry) && foreign(entry));
  const known = process.platform === "darwin" ? APPLICATIONS : [];
  const found = [
    ...known,
    ...[FOLDERS, onPath].flatMap((folders) =>
      NAMES.flatMap((name) => folders.map((folder) => join(folder, name))),
    ),
  ].find((path) => foreign(path) && resolveProgram(path, "", "/") !== null);
  return found ?? stage.blocked(MISSING);
}

/** Starts it without a window. Stops as blocked where it cannot be started, as inconclusive where a sandbox forbids it. */
export async function startBrowser(stage: Stage): Promise<Browser> {
  const executablePath = findBrowser(stage);
  // Variables with which the library would start, or speak to, another program than this one.
  for (const name of Object.keys(process.env))
    if (/^(?:PW|PLAYWRIGHT|SELENIUM|DEBUG)/.test(name)) delete process.env[name];
  const { chromium } = await library(stage.job.out);
  const launch = (chromiumSandbox: boolean): Promise<Browser> =>
    chromium.launch({
      executablePath,
      chromiumSandbox,
      args: FLAGS,
      ignoreDefaultArgs: ["--enable-automation"],
      env: environment(stage),
      timeout: Math.min(LAUNCH_MS, stage.left),
      handleSIGHUP: false,
      handleSIGINT: false,
      handleSIGTERM: false,
    });
  // Chrome refuses its own sandbox to root.
  const own = process.getuid?.() !== 0;
  let browser: Browser;
  try {
    browser = await launch(own).catch((error: unknown) => {
      if (!own || !/No usable sandbox|SUID sandbox|zygote_host/i.test(String(error))) throw error;
      stage.log("Chrome's own sandbox cannot be used here: started without it");
      return launch(false);
    });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (stage.sandboxed) stage.inconclusive(`${executablePath} cannot be started here`);
    stage.log(text);
    return stage.blocked(`${executablePath} cannot be started: ${tellingLine(text)}`);
  }
  stage.onEnd(() => soon(browser.close()));
  stage.step(`browser ${executablePath} ${browser.version()}`);
  return browser;
}

/** Without the user's own profile, settings and flags; with the mark of the run, by which it is found. */
function environment(stage: Stage): Record<string, string> {
  const home = join(stage.job.out, "home");
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env))
    if (
      value !== undefined &&
      !/^(?:XDG_|CHROM|GOOGLE_|LD_|DYLD_|SSLKEYLOGFILE|DBUS_|DISPLAY|WAYLAND_)/.test(name)
    )
      env[name] = value;
  return { ...env, HOME: home, TMPDIR: shortFolder(stage) };
}

/** It makes a Unix socket in its temporary folder, and the system takes paths of some 100 bytes for those. */
const LONGEST_FOLDER = 100 - "/.org.chromium.Chromium.XXXXXX/SingletonSocket".length;

function shortFolder(stage: Stage): string {
  const usual = tmpdir();
  if (Buffer.byteLength(usual) <= LONGEST_FOLDER) return usual;
  try {
    const short = mkdtempSync("/tmp/pg-");
    stage.onEnd(() => rmSync(short, { recursive: true, force: true, maxRetries: 2 }));
    return short;
  } catch {
    // A sandbox that leaves nothing but the run's own folders open: the browser will say what it lacks.
    return usual;
  }
}

function tellingLine(text: string): string {
  const lines = text
    .split("\n")
    .map((line) => line.replace(/^\s*-?\s*(?:\[pid=\d+\])?(?:\[err\])?\s*/, "").trim());
  return (
    lines.find(
      (line) => /error|fatal|cannot|missing|denied/i.test(line) && !/^Error|browserType/i.test(line),
    ) ??
    lines[0] ??
    ""
  ).slice(0, 200);
}

const CLOSE_MS = 3000;

/** What does not close in time is ended with the run. */
export async function soon<T>(promise: Promise<T>, ms = CLOSE_MS): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<null>((settle) => {
    timer = setTimeout(() => settle(null), ms);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** As the same browser names itself with a window. */
export async function userAgent(browser: Browser): Promise<string> {
  const session = await browser.newBrowserCDPSession();
  const { userAgent } = await session.send("Browser.getVersion");
  await session.detach();
  return userAgent.replace("HeadlessChrome", "Chrome");
}
