/** The cookies of one scenario: kept from answer to request, on one server, as long as it runs. */

interface Cookie {
  readonly value: string;
  readonly path: string;
}

export class Cookies {
  private readonly kept = new Map<string, Cookie>();

  /** Takes what an answer sets. RFC 6265, of which one host needs name, value, path and the ways to take a cookie back. */
  keep(lines: readonly string[], requestPath: string): void {
    for (const line of lines) {
      const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
      const at = pair.indexOf("=");
      if (at < 1) continue;
      const name = pair.slice(0, at).trim();
      const of = (key: string): string | undefined =>
        attributes.find((one) => one.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
      const age = of("max-age");
      const expires = Date.parse(of("expires") ?? "");
      const gone = age === undefined ? expires <= Date.now() : Number(age) <= 0;
      if (gone) this.kept.delete(name);
      else {
        const path = of("path");
        this.kept.set(name, {
          value: pair.slice(at + 1).trim(),
          path: path?.startsWith("/") ? path : folderOf(requestPath),
        });
      }
    }
  }

  /** The request header for a path; null when no cookie is for it. */
  header(path: string): string | null {
    const plain = path.split("?")[0] ?? "/";
    const fitting = [...this.kept].filter(
      ([, cookie]) => plain === cookie.path || plain.startsWith(cookie.path.replace(/\/?$/, "/")),
    );
    return fitting.length === 0 ? null : fitting.map(([name, { value }]) => `${name}=${value}`).join("; ");
  }
}

const folderOf = (path: string): string => (path.split("?")[0] ?? "").replace(/\/[^/]*$/, "") || "/";
