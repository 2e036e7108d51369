/** Watches a browser's pages for what goes wrong without being painted, and for what the page does by itself. */
import type { BrowserContext, Dialog, Page, Request } from "playwright-core";
import { patternTest } from "../../../check.ts";
import type { TextPattern } from "../../../types.ts";
import type { Stage } from "../../stage.ts";

interface Fault {
  readonly text: string;
  /** What could not be loaded, where that is it. */
  readonly url: string | null;
}

/** Of a message in the log. */
const LONGEST = 500;
/** Faults and messages beyond this are only counted. */
const MOST = 200;

export class Watch {
  /** The page that a person would have before them: the newest that is open. */
  private readonly pages: Page[] = [];
  private readonly faults: Fault[] = [];
  /** Hosts that the page asked for and that are out of reach. */
  private readonly outside = new Set<string>();
  private readonly running = new Set<Request>();
  private readonly said: string[] = [];
  private readonly statuses = new WeakMap<Page, number>();
  private readonly expected = new Set<string>();
  private lastMoved = performance.now();
  private messages = 0;
  /** Set before each act. */
  answer: "accept" | "dismiss" = "dismiss";
  crashed = false;

  constructor(
    private readonly stage: Stage,
    context: BrowserContext,
    private readonly origin: () => string,
  ) {
    context.on("page", (page) => this.take(page));
    context.on("console", (message) => {
      const { url, line } = message.location();
      // Browsers ask for this picture by themselves.
      const loading = /^Failed to load resource/.test(message.text());
      if (loading && /^https?:\/\/[^/]+\/favicon\.ico$/.test(url)) return;
      const at = url === "" ? "" : ` (${this.short(url)}${loading ? "" : `:${line + 1}`})`;
      const text = `${message.text()}${at}`;
      this.tell(`console.${message.type()}: ${text}`);
      if (message.type() !== "error" && message.type() !== "assert") return;
      this.blame(text, loading ? url : null);
    });
    context.on("weberror", (event) => {
      const error = event.error();
      const where = /\(?((?:https?|file):\/\/[^\s)]+)/.exec(error.stack ?? "")?.[1];
      const text = `uncaught ${String(error.message).split("\n")[0]}${where === undefined ? "" : ` (${this.short(where)})`}`;
      this.tell(text);
      this.blame(text, null);
    });
    context.on("request", (request) => this.begin(request));
    context.on("requestfinished", (request) => this.end(request));
    context.on("requestfailed", (request) => {
      this.end(request);
      const why = request.failure()?.errorText ?? "failed";
      if (why === "net::ERR_ABORTED") return;
      this.tell(`request failed: ${request.method()} ${this.short(request.url())} ${why}`);
      const host = hostOf(request.url());
      if (host !== null && !LOOPBACK.test(host)) this.outside.add(host);
    });
    context.on("response", (response) => {
      const request = response.request();
      if (!request.isNavigationRequest()) return;
      try {
        const page = request.frame().page();
        if (request.frame() === page.mainFrame()) this.statuses.set(page, response.status());
      } catch {
        // A request of a service worker belongs to no page.
      }
    });
    context.on("dialog", (dialog) => void this.asked(dialog));
  }

  get page(): Page {
    const open = this.pages.findLast((page) => !page.isClosed());
    if (open === undefined) throw new Error("every page was closed");
    return open;
  }

  /** Of the document before one's eyes; null where it came without an answer. */
  get status(): number | null {
    return this.statuses.get(this.page) ?? null;
  }

  /** Texts of the dialogs since the last call of `forget`. */
  get dialogs(): readonly string[] {
    return this.said;
  }

  forget(): void {
    this.said.length = 0;
  }

  /** A path on the server of the scenario; a whole address for everything else. */
  short(url: string): string {
    const origin = this.origin();
    return origin !== "" && url.startsWith(`${origin}/`) ? url.slice(origin.length) : url.slice(0, LONGEST);
  }

  /** An answer that the scenario itself wants is no fault. */
  excuse(url: string): void {
    this.expected.add(url);
  }

  /** What went wrong and is not allowed, once each. */
  wrong(allowed: "any" | readonly TextPattern[]): readonly string[] {
    if (allowed === "any") return [];
    const tests = allowed.map((pattern) => patternTest(pattern));
    const left = this.faults.filter(
      ({ text, url }) => !(url !== null && this.expected.has(url)) && !tests.some((test) => test(text)),
    );
    return [...new Set(left.map(({ text }) => text))];
  }

  /** For whoever waits in vain: what the page could not get, or stumbled over. */
  hint(): string {
    const hosts = [...this.outside];
    if (hosts.length > 0)
      return `; the page asked ${hosts.join(", ")}, and a check reaches nothing but this machine`;
    const [first] = this.wrong([]);
    return first === undefined ? "" : `; the page has an error: ${first}`;
  }

  get quietMs(): number {
    return this.running.size > 0 ? 0 : performance.now() - this.lastMoved;
  }

  private take(page: Page): void {
    this.pages.push(page);
    if (this.pages.length > 1) this.stage.step(`a new tab: ${page.url() || "about:blank"}`);
    page.on("crash", () => {
      this.crashed = true;
    });
    page.on("download", (download) => this.tell(`download: ${download.suggestedFilename()}`));
    page.on("framenavigated", (frame) => {
      this.lastMoved = performance.now();
      if (frame === page.mainFrame() && frame.url() !== "about:blank")
        this.tell(`at ${this.short(frame.url())}`);
    });
  }

  private async asked(dialog: Dialog): Promise<void> {
    const text = dialog.message();
    const how = dialog.type() === "alert" ? "accept" : this.answer;
    this.said.push(text);
    this.stage.step(`  ${dialog.type()} ${JSON.stringify(text.slice(0, LONGEST))}: ${how}`);
    try {
      await (how === "accept" ? dialog.accept() : dialog.dismiss());
    } catch {
      // The page went away with its question.
    }
  }

  private begin(request: Request): void {
    this.running.add(request);
    this.lastMoved = performance.now();
    const host = hostOf(request.url());
    const own = hostOf(this.origin());
    if (host !== null && LOOPBACK.test(host) && !sameServer(request.url(), this.origin()) && own !== null)
      this.tell(
        `asks another server of this machine: ${request.method()} ${request.url().slice(0, LONGEST)}`,
      );
  }

  private end(request: Request): void {
    this.running.delete(request);
    this.lastMoved = performance.now();
  }

  private blame(text: string, url: string | null): void {
    if (this.faults.length < MOST) this.faults.push({ text: text.slice(0, LONGEST), url });
  }

  private tell(line: string): void {
    if (++this.messages <= MOST) this.stage.step(`  ${line.slice(0, LONGEST)}`);
    else if (this.messages === MOST + 1) this.stage.log("  … more of the page's messages are left out");
  }
}

const LOOPBACK = /^(?:localhost|.+\.localhost|127\.0\.0\.1|\[::1\])$/;

/** Null for `data:`, `blob:` and the like, which ask nobody. */
function hostOf(url: string): string | null {
  try {
    const { protocol, hostname } = new URL(url);
    return /^(?:https?|wss?):$/.test(protocol) ? hostname : null;
  } catch {
    return null;
  }
}

function sameServer(url: string, origin: string): boolean {
  try {
    return new URL(url).port === new URL(origin).port;
  } catch {
    return true;
  }
}
