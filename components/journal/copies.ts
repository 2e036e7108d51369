/** Where a repair keeps what it replaces. */

import * as fs from "node:fs";
import { basename, join } from "node:path";
import { errno, fromSystem } from "../errors.ts";
import { checkFile, syncDir } from "./safe-fs.ts";

/** The folder `repair-<time>`, made when the first file goes into it. */
export class Copies {
  folder: string | null = null;

  constructor(
    private readonly dir: string,
    private readonly clock: () => Date,
  ) {}

  /** Keeps a copy that is on the disk before the file is touched. */
  keep(path: string): void {
    if (checkFile(path) === null) return;
    const copy = join(this.make(), basename(path));
    try {
      fs.copyFileSync(path, copy);
      const fd = fs.openSync(copy, "r+");
      try {
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
      syncDir(this.make());
    } catch (error) {
      throw fromSystem(error, `copy ${basename(path)}`);
    }
  }

  /** Takes the leavings of torn lines away whose numbers will be given again. */
  moveTorn(after: number): void {
    for (const name of fs.readdirSync(this.dir)) {
      const seq = /^torn-(\d+)\.txt$/.exec(name)?.[1];
      if (seq !== undefined && Number(seq) > after)
        fs.renameSync(join(this.dir, name), join(this.make(), name));
    }
  }

  private make(): string {
    if (this.folder !== null) return this.folder;
    const stamp = this.clock().toISOString().replace(/[:.]/g, "-");
    for (let attempt = 1; ; attempt++) {
      const folder = join(this.dir, `repair-${stamp}${attempt === 1 ? "" : `-${attempt}`}`);
      try {
        fs.mkdirSync(folder);
        this.folder = folder;
        return folder;
      } catch (error) {
        if (errno(error) !== "EEXIST") throw fromSystem(error, `make folder ${basename(folder)}`);
      }
    }
  }
}
