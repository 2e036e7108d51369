/** The files that a patch in the form of Codex's apply_patch would touch. */

const HEADER = /^\*\*\* (?:Add File|Update File|Delete File|Move to):\s*(.*)$/i;
const UPDATE = /^\*\*\* (?:Update File|Move to):/i;
const FOLDER = /\bcd\s+(?:--\s+)?("[^"\n]*"|'[^'\n]*'|[^\s;&|]+)\s*(?:&&|;|\n)/g;

/**
 * Paths in the order of the patch, each once. Also reads a shell line that hands a patch to `apply_patch`, where a `cd` in
 * front moves the paths. What is no header to the host but may be to a laxer parser counts: a header too many costs a
 * question, one too few the ledger.
 */
export function patchTargets(patch: string): string[] {
  const begin = patch.indexOf("*** Begin Patch");
  const folder = begin < 0 ? "" : folderBefore(patch.slice(0, begin));
  const targets = new Set<string>();
  // Inside an update, a line that begins with a space is the file's own text, even if it looks like a header.
  let inUpdate = false;
  let afterHeader = false;
  for (const raw of patch.split(/\r\n|\r|\n/)) {
    const own: boolean = inUpdate && raw.startsWith(" ") && !afterHeader;
    const text = raw.trim();
    const path: string | undefined = own ? undefined : HEADER.exec(text)?.[1]?.trim();
    afterHeader = path !== undefined && UPDATE.test(text);
    if (path === undefined) continue;
    inUpdate = afterHeader;
    if (path !== "") targets.add(isAbsolute(path) || folder === "" ? path : `${folder}/${path}`);
  }
  return [...targets];
}

/** Where the shell stands when the patch begins. Relative steps add up. */
function folderBefore(shell: string): string {
  let folder = "";
  for (const match of shell.matchAll(FOLDER)) {
    const step = (match[1] ?? "").replace(/^["']|["']$/g, "");
    folder = isAbsolute(step) || folder === "" ? step : `${folder}/${step}`;
  }
  return folder;
}

/** POSIX, or Windows with a drive or a share. */
export const isAbsolute = (path: string): boolean => /^(?:[/\\]|[A-Za-z]:)/.test(path);
