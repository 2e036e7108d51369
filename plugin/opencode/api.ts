/** The part of OpenCode's plugin interface that is used, as its 1.18 releases have it. Written down here: the module brings no dependency. */

export interface Model {
  readonly providerID: string;
  readonly modelID: string;
}

/** What the host hands to the plugin once for each folder that it works in. */
export interface PluginInput {
  readonly directory: string;
  /** `/` outside Git. */
  readonly worktree: string;
  readonly client: {
    readonly session: {
      promptAsync(request: {
        readonly path: { readonly id: string };
        readonly body: {
          readonly agent?: string;
          readonly model?: Model;
          readonly variant?: string;
          readonly parts: readonly TextPart[];
        };
      }): Promise<unknown>;
      get(request: { readonly path: { readonly id: string } }): Promise<{ readonly data?: unknown }>;
      create(request: {
        readonly body: { readonly parentID: string; readonly title: string };
      }): Promise<{ readonly data?: unknown }>;
      /** Waits for the answer. */
      prompt(request: {
        readonly path: { readonly id: string };
        readonly body: { readonly agent: string; readonly parts: readonly TextPart[] };
      }): Promise<{ readonly data?: unknown }>;
      abort(request: { readonly path: { readonly id: string } }): Promise<unknown>;
    };
    readonly tui: {
      showToast(request: {
        readonly body: {
          readonly message: string;
          readonly variant: "info" | "success" | "warning" | "error";
        };
      }): Promise<unknown>;
    };
  };
}

export interface TextPart {
  readonly id?: string;
  readonly sessionID?: string;
  readonly messageID?: string;
  readonly type: "text";
  readonly text: string;
  /** Written by a program: hidden from the user, and no word of theirs. */
  readonly synthetic?: boolean;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface ToolContext {
  readonly sessionID: string;
  readonly callID?: string;
}

export interface Tool {
  readonly description: string;
  /** JSON Schema of each argument. The host checks nothing of it, and takes every one for required. */
  readonly args: Readonly<Record<string, unknown>>;
  execute(args: unknown, context: ToolContext): Promise<string>;
}

export interface HostEvent {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface Hooks {
  readonly tool: Readonly<Record<string, Tool>>;
  readonly event: (input: { readonly event: HostEvent }) => Promise<void>;
  readonly config: (config: Record<string, unknown>) => Promise<void>;
  readonly "chat.message": (
    input: { readonly sessionID: string },
    output: { readonly message: Readonly<Record<string, unknown>>; readonly parts: TextPart[] },
  ) => Promise<void>;
  readonly "shell.env": (
    input: { readonly sessionID?: string },
    output: { readonly env: Record<string, string> },
  ) => Promise<void>;
  readonly "tool.execute.before": (
    input: { readonly tool: string; readonly sessionID: string; readonly callID: string },
    output: { readonly args: unknown },
  ) => Promise<void>;
  readonly "tool.execute.after": (input: {
    readonly tool: string;
    readonly sessionID: string;
  }) => Promise<void>;
  readonly "command.execute.before": (
    input: { readonly command: string; readonly sessionID: string; readonly arguments: string },
    output: { readonly parts: { type: string; text?: string }[] },
  ) => Promise<void>;
  readonly "experimental.session.compacting": (input: { readonly sessionID: string }) => Promise<void>;
  readonly "experimental.text.complete": (
    input: { readonly sessionID: string; readonly messageID: string },
    output: { text: string },
  ) => Promise<void>;
}

export const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
