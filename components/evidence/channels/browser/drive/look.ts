/** Looks at a page as a person does: its visible text, and things by their role. */
import type { CDPSession, Locator, Page } from "playwright-core";
import { patternTest } from "../../../check.ts";
import type { TextPattern } from "../../../types.ts";
import type { Role } from "../scenario.ts";
import { soon } from "./chrome.ts";
import { eyes, type Seen } from "./eyes.ts";
import type { Library } from "./load.ts";

/** A page that does not answer for so long is stuck. */
const ANSWER_MS = 3000;
const WORLD = "proofgate";

/** Makes `seen=` known: elements that a person can see. Before any page is opened. */
export async function openEyes({ selectors }: Library): Promise<void> {
  const engine = `(() => { const { shown } = (${eyes.toString()})(); return { query: (root) => shown(root)[0] ?? null, queryAll: (root) => shown(root) }; })()`;
  await selectors.register("seen", engine, { contentScript: true });
}

const sessions = new WeakMap<Page, Promise<CDPSession>>();

/** The visible text; null while the page changes, or does not answer. */
export async function read(page: Page): Promise<Seen | null> {
  try {
    return await soon(readNow(page), ANSWER_MS);
  } catch {
    // The document went away in the middle: the next look sees the new one.
    return null;
  }
}

async function readNow(page: Page): Promise<Seen | null> {
  let session = sessions.get(page);
  if (session === undefined) {
    session = page.context().newCDPSession(page);
    sessions.set(page, session);
  }
  const cdp = await session;
  const { frameTree } = await cdp.send("Page.getFrameTree");
  const { executionContextId } = await cdp.send("Page.createIsolatedWorld", {
    frameId: frameTree.frame.id,
    worldName: WORLD,
  });
  const { result, exceptionDetails } = await cdp.send("Runtime.evaluate", {
    expression: `(${eyes.toString()})().seen()`,
    contextId: executionContextId,
    returnByValue: true,
  });
  if (exceptionDetails !== undefined)
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value as Seen;
}

/** Whether a text is to be seen. */
export const isSeen = (pattern: TextPattern, { text, styled }: Seen): boolean => {
  const test = patternTest(pattern);
  return test(text) || test(styled);
};

/** All things of a role that a person can see. */
export function byRole(page: Page, { role, name, count: _, ...states }: Role): Locator {
  return page
    .getByRole(role as Parameters<Page["getByRole"]>[0], {
      ...states,
      ...(name === undefined ? {} : { name: nameForm(name) }),
    })
    .and(page.locator("seen=any"));
}

/** A name as people read it: the whole of it, without the mark of what has to be filled in, in any case of letters. */
export function nameForm(name: TextPattern): RegExp {
  const [, source, flags = ""] = /^\/(.+)\/([a-z]*)$/s.exec(name) ?? [];
  if (source !== undefined) return new RegExp(source, flags.replace(/[gy]/g, ""));
  const words = name
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  return new RegExp(`^\\s*${words.join("\\s+")}\\s*[*:]*\\s*$`, "i");
}
