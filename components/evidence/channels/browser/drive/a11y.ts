/** Whether a page can be used by everybody: axe-core's rules for WCAG A and AA. */
import type { Page } from "playwright-core";
import type { Stage } from "../../stage.ts";
import { soon } from "./chrome.ts";
import { library } from "./load.ts";

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly html: string }[];
}

const RUN_MS = 20_000;
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/**
 * What the page violates, a line for each rule; null when it did not answer.
 * @param except ids of rules that are left out
 */
export async function violations(
  stage: Stage,
  page: Page,
  except: readonly string[],
): Promise<readonly string[] | null> {
  const { axe } = await library(stage.job.out);
  const cdp = await page.context().newCDPSession(page);
  try {
    const found = await soon(examine(), RUN_MS);
    return (
      found?.map(({ id, help, nodes }) => {
        const [first] = nodes;
        const more = nodes.length > 1 ? ` and ${nodes.length - 1} more` : "";
        return `${id}: ${help} (${first?.target.join(" ") ?? ""}${more})`;
      }) ?? null
    );
  } finally {
    await cdp.detach().catch(() => {});
  }

  /** In a world of its own, where nothing of the page can answer in the place of the rules. */
  async function examine(): Promise<readonly Violation[]> {
    const { frameTree } = await cdp.send("Page.getFrameTree");
    const { executionContextId } = await cdp.send("Page.createIsolatedWorld", {
      frameId: frameTree.frame.id,
      worldName: "proofgate-a11y",
    });
    const rules = Object.fromEntries(except.map((id) => [id, { enabled: false }]));
    const options = {
      runOnly: { type: "tag", values: TAGS },
      rules,
      resultTypes: ["violations"],
      iframes: false,
    };
    const { result, exceptionDetails } = await cdp.send("Runtime.evaluate", {
      expression: `${axe};\naxe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.slice(0, 20).map(({ target, html }) => ({ target, html: html.slice(0, 200) })) })))`,
      contextId: executionContextId,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value as readonly Violation[];
  }
}
