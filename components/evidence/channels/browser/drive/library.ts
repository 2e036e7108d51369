/** What others wrote and only this channel needs: a browser's remote control, and the rules of accessibility as text. */
import axe from "axe-core/axe.min.js" with { type: "text" };
import { chromium, selectors } from "playwright-core";

export { axe, chromium, selectors };
