/** The paths that never count as part of the work: state and plans of this tool and of the hosts' goal tools. */

const FOLDERS = [".omo/", ".omx/goals/"];
const FILES = new Set([".proofgate.yaml", ".proofgate/plan.yaml"]);

/** Whether a path relative to the root is ours, also when it is tracked. */
export function isOurs(path: string): boolean {
  return FILES.has(path) || FOLDERS.some((folder) => path.startsWith(folder) || `${path}/` === folder);
}
