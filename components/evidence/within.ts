/** Whether a path is a folder, or lies in it. Both as real paths. */
import { sep } from "node:path";

export function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
