/** What scripted models have in common, whichever interface they speak: a server on loopback, and an account of what was asked. */

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";

/** A request of the host, parsed. */
export interface ModelRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

interface ScriptedServer {
  /** Base URL for the host's configuration; ends in `/v1`. */
  readonly url: string;
  /** The first error of the script or of a request that was not understood; null when all went well. */
  failure(): Error | null;
  /** Closes the server and every connection. */
  end(): Promise<void>;
}

/**
 * Starts a server on a free port of 127.0.0.1. The caller must `end()` it.
 * @param isTurn paths of requests for the model; hosts also ask for a list of models and the like, and none of it is needed
 * @param answer what throws answers the host with status 400 (which it does not retry) and is kept for `failure()`
 */
export async function startScriptedServer(
  isTurn: RegExp,
  answer: (request: ModelRequest, response: ServerResponse) => Promise<void>,
): Promise<ScriptedServer> {
  let failure: Error | null = null;
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? "";
    if (request.method !== "POST" || !isTurn.test(path)) return plain(response, 404, {});
    await answer({ path, headers: request.headers, body: parseObject(await readAll(request)) }, response);
  };
  const server = createServer((request, response) => {
    receive(request, response).catch((error: unknown) => {
      failure ??= error instanceof Error ? error : new Error(String(error));
      plain(response, 400, { error: { message: failure.message } });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the scripted model has no port");
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    failure: () => failure,
    end: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error("a request of the host is not a JSON object");
  return value;
}

/** An output is a string, or a list of parts of which those with text count. */
export function outputText(output: unknown): string {
  if (typeof output === "string") return output;
  if (!Array.isArray(output)) return JSON.stringify(output);
  return output
    .map((part: unknown) => (isObject(part) && typeof part.text === "string" ? part.text : ""))
    .join("");
}

export function plain(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
