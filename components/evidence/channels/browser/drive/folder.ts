/** Serves a folder of static files on loopback, for pages that need no server of their own. */
import { realpathSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import sirv from "sirv";
import { errno } from "../../../../errors.ts";
import { within } from "../../../within.ts";
import { type Stage, Stop } from "../../stage.ts";

/** @returns the address, without a slash at its end; stops as not run where the folder is not there */
export async function serveFolder(stage: Stage, folder: string): Promise<string> {
  const path = join(stage.job.cwd, folder);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Stop({ kind: "not_run", reason: `${folder}: no such folder` });
  if (!within(realpathSync(path), realpathSync(stage.job.root)))
    stage.blocked(`${folder} leads out of the repository`);
  const files = sirv(path, { dev: true, dotfiles: true, etag: false });
  const server = createServer((request, response) =>
    files(request, response, () => {
      response.statusCode = 404;
      response.end("not found\n");
    }),
  );
  await new Promise<void>((settle, fail) => {
    server.once("error", (error) =>
      fail(
        errno(error) === "EPERM" || errno(error) === "EACCES"
          ? new Stop({ kind: "inconclusive", reason: `sandbox: no sockets here (listen ${errno(error)})` })
          : error,
      ),
    );
    server.listen(0, "127.0.0.1", settle);
  });
  stage.onEnd(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  stage.step(`serve ${folder} at ${origin}`);
  return origin;
}
