/** Homes for the real OpenCode with the plugin in them, and processes that live in one: nothing of this machine's own, no network. */

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endGroup } from "./codex.ts";
import { MODULES } from "./host-binaries.ts";
import { openCodeBinary } from "./opencode-binary.ts";

const DIST = join(import.meta.dirname, "..", "..", "dist");
const START_MS = 300_000;

export interface OpenCodeHome {
  readonly path: string;
  readonly binary: string;
  /** Where the plugin keeps what it saw. */
  readonly store: string;
  readonly env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

/** @returns why nothing can be run in OpenCode here; null when it can */
export async function openCodeMissing(): Promise<string | null> {
  const binary = await openCodeBinary();
  return "missing" in binary ? binary.missing : null;
}

/**
 * A user who has named the plugin in the configuration, and installed nothing else of ours.
 * @param modelUrl where the model is
 * @param config of the host, beside what a run needs
 * @param state folder of programs' state, where it is not the home's own
 * @throws Error when there is no OpenCode. The caller must `remove()` the home.
 */
export async function makeOpenCodeHome(
  modelUrl: string,
  config: Readonly<Record<string, unknown>> = {},
  state?: string,
): Promise<OpenCodeHome> {
  const binary = await openCodeBinary();
  if ("missing" in binary) throw new Error(binary.missing);
  const path = await mkdtemp(join(await realpath(tmpdir()), "proofgate-opencode-"));
  const settings = join(path, ".config", "opencode");
  const env = envOf(path, state ?? join(path, ".local", "state"));
  await mkdir(join(settings, "node_modules"), { recursive: true });
  const marks = { dependencies: { "@opencode-ai/plugin": "*" } };
  const files = {
    "opencode.json": { ...configOf(modelUrl), ...config },
    // As if the host had installed what it installs into each folder of its own: it would wait for that in vain.
    "package.json": marks,
    "package-lock.json": { lockfileVersion: 3, packages: { "": marks } },
  };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(settings, name), JSON.stringify(content));
  // The catalogue of the world's models, which the host goes through for each folder that it works in: it takes most of a start.
  await writeFile(env.OPENCODE_MODELS_PATH, "{}");
  await mkdir(join(path, "bin"));
  await mkdir(join(path, "tmp"));
  const rg = await ripgrep();
  if (rg !== null) await symlink(rg, join(path, "bin", "rg"));
  return {
    path,
    binary: binary.path,
    store: join(env.XDG_STATE_HOME, "proofgate"),
    env,
    // What was ended may still be at its last write.
    remove: () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }),
  };
}

const configOf = (modelUrl: string): Readonly<Record<string, unknown>> => ({
  model: "scripted/scripted",
  small_model: "scripted/scripted",
  autoupdate: false,
  share: "disabled",
  plugin: [join(DIST, "opencode")],
  provider: {
    scripted: {
      npm: "@ai-sdk/openai-compatible",
      name: "Scripted",
      options: { baseURL: modelUrl, apiKey: "none" },
      models: {
        scripted: modelOf("Scripted"),
        "gpt-5-scripted": modelOf("Patches"),
        thorough: {
          ...modelOf("Thorough"),
          reasoning: true,
          variants: { deep: { reasoningEffort: "high" } },
        },
      },
    },
  },
});

const modelOf = (name: string) => ({ name, limit: { context: 200_000, output: 8000 } });

function envOf(home: string, state: string) {
  // Nor does it run inside of another agent, or with the settings of the npm that started the tests.
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(?:OPENCODE|XDG|CODEX|CLAUDE|npm_)/.test(name),
  );
  return {
    ...Object.fromEntries(own),
    // Whatever is not on loopback is refused at once.
    HTTP_PROXY: "http://127.0.0.1:9",
    HTTPS_PROXY: "http://127.0.0.1:9",
    NO_PROXY: "127.0.0.1",
    OPENCODE_DISABLE_AUTOUPDATE: "1",
    OPENCODE_DISABLE_DEFAULT_PLUGINS: "1",
    OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
    OPENCODE_DISABLE_MODELS_FETCH: "1",
    OPENCODE_MODELS_PATH: join(home, "models.json"),
    OPENCODE_DISABLE_SHARE: "1",
    GIT_CONFIG_NOSYSTEM: "1",
    HOME: home,
    TMPDIR: join(home, "tmp"),
    XDG_CACHE_HOME: join(home, ".cache"),
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local", "share"),
    XDG_STATE_HOME: state,
    PATH: `${join(home, "bin")}:${process.env.PATH ?? ""}`,
  };
}

/** The one that comes with Codex: without any, the host goes out to get it. */
async function ripgrep(): Promise<string | null> {
  const vendor = join(MODULES, "@openai", `codex-${process.platform}-${process.arch}`, "vendor");
  const [target] = await readdir(vendor).catch(() => []);
  return target === undefined ? null : join(vendor, target, "codex-path", "rg");
}

interface Ran {
  readonly exit: number;
  /** The end of what was printed. */
  readonly transcript: string;
}

interface OpenCodeProcess {
  /** Resolves when what was printed matches. @throws Error when it does not in time */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** @throws Error when it does not end in time */
  ended(timeoutMs: number): Promise<Ran>;
  /** Ends it and all that it started. */
  end(): Promise<void>;
}

/**
 * Ends the host with the test that started it, however that ends: its standard input is a pipe from the test, and the end of
 * that is the end of the whole group.
 */
const GUARD =
  'exec 3<&0; "$@" </dev/null 3<&- & host=$!; { read -r _ <&3; kill -9 0; } >/dev/null 2>&1 & guard=$!; wait "$host"; exit=$?; kill "$guard"; exit "$exit"';

/** The caller must wait until it has `ended()`, or `end()` it. */
export function startOpenCode(
  { binary, env }: OpenCodeHome,
  args: readonly string[],
  cwd: string,
): OpenCodeProcess {
  const child = spawn("sh", ["-c", GUARD, "sh", binary, ...args], {
    cwd,
    // OpenCode believes this rather than the folder that it was started in.
    env: { ...env, PWD: cwd },
    detached: true,
    stdio: "pipe",
  });
  let transcript = "";
  let look: () => void = () => undefined;
  const keep = (chunk: Buffer): void => {
    transcript = (transcript + chunk.toString("utf8")).slice(-8000);
    look();
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const over = new Promise<Ran>((resolve) => {
    child.on("error", (error) => resolve({ exit: -1, transcript: error.message }));
    child.on("close", (exit) => resolve({ exit: exit ?? -1, transcript }));
  });
  const within = async <T>(timeoutMs: number, what: string, wait: Promise<T>): Promise<T> => {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`${what} within ${timeoutMs / 1000} s:\n${transcript}`)),
      timeoutMs,
    );
    try {
      return await Promise.race([wait, promise]);
    } finally {
      clearTimeout(timer);
    }
  };
  const end = async (): Promise<void> => {
    endGroup(child.pid);
    await over;
  };
  return {
    printed: (pattern) =>
      within(
        START_MS,
        `OpenCode did not print ${pattern}`,
        new Promise((resolve, reject) => {
          look = () => {
            const match = pattern.exec(transcript);
            if (match !== null) resolve(match);
          };
          look();
          over.then((ran) => reject(new Error(`OpenCode ended with ${ran.exit}:\n${ran.transcript}`)));
        }),
      ),
    async ended(timeoutMs) {
      try {
        return await within(timeoutMs, "OpenCode did not end", over);
      } finally {
        await end();
      }
    },
    end,
  };
}
