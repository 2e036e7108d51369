/** Whether the host that asks ends after its turn. The process list has its words without the quotes around them. */

/** Options before the subcommand that take the word after them along. */
const TAKES =
  /^(?:-[aCcimps]|--(?:add-dir|ask-for-approval|cd|config|disable|enable|image|local-provider|model|profile|remote|remote-auth-token-env|sandbox))$/;

/** `codex exec` ends after its turn; elsewhere the host begins the next turn of an active goal by itself. */
export function runsOnce(args: string): boolean {
  const words = args
    .trim()
    .replace(/^.*?codex(?:\.exe|\.js)?(?= |$)/, "")
    .split(/ +/)
    .filter((word) => word !== "");
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (TAKES.test(word)) {
      const value = at + 1;
      do at++;
      while (at < words.length - 1 && isOpen(words.slice(value, at + 1).join(" ")));
    } else if (!word.startsWith("-")) return word === "exec" || word === "e";
  }
  return false;
}

/** A list or a string of a configuration, which may have spaces in it, goes on. */
function isOpen(value: string): boolean {
  const count = (mark: string): number => value.split(mark).length - 1;
  return count('"') % 2 === 1 || count("[") > count("]") || count("{") > count("}");
}
