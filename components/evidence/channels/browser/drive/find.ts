/** Finds what an act is done to, as a person finds it: by its label, its role and name, what stands in it. */
import type { Locator, Page } from "playwright-core";
import type { Stage } from "../../stage.ts";
import { type Act, type Target, targetWords } from "../scenario.ts";
import { byRole, nameForm } from "./look.ts";

type Aim = Exclude<Act["kind"], "open" | "script" | "look">;
type RoleName = Parameters<Page["getByRole"]>[0];

const PRESSED: readonly RoleName[] = [
  "button",
  "link",
  "tab",
  "menuitem",
  "menuitemcheckbox",
  "menuitemradio",
];
const TICKED: readonly RoleName[] = [
  "checkbox",
  "radio",
  "switch",
  "menuitemcheckbox",
  "menuitemradio",
  "option",
];
const FIELDS: readonly RoleName[] = ["textbox", "searchbox", "combobox", "spinbutton", "listbox", "slider"];
const FIELD =
  "input:not([type=hidden]), textarea, select, [contenteditable], [role=textbox], [role=searchbox], [role=combobox], [role=spinbutton], [role=slider], [role=listbox]";

/** In their order: the first that finds something is meant. */
function ways(page: Page, aim: Aim, target: Target): readonly Locator[] {
  if (typeof target !== "string") return [byRole(page, target)];
  if (target.startsWith("css="))
    return [page.locator(target).filter({ visible: aim !== "upload" ? true : undefined })];
  const name = nameForm(target);
  const roles = (names: readonly RoleName[]): Locator =>
    names.map((role) => page.getByRole(role, { name })).reduce((all, one) => all.or(one));
  const label = page.getByLabel(name);
  const see = (one: Locator): Locator => one.filter({ visible: true });
  switch (aim) {
    case "upload":
      return [label.and(page.locator("input[type=file]")), see(roles(["button"]))];
    case "fill":
    case "press":
    case "select":
      return [
        see(roles(FIELDS).or(label.and(page.locator(FIELD)))),
        see(page.getByPlaceholder(name)),
        see(page.getByTitle(name)),
      ];
    case "check":
    case "uncheck":
      return [see(roles(TICKED)), see(label), see(page.getByText(name))];
    default:
      return [
        see(roles([...PRESSED, ...TICKED])),
        see(label),
        see(page.getByText(name)),
        see(page.getByAltText(name)),
        see(page.getByTitle(name)),
      ];
  }
}

/** The one thing that is meant, as soon as it is there; stops where there is none, or more than one. */
export async function find(
  stage: Stage,
  page: () => Page,
  aim: Aim,
  target: Target,
  {
    name,
    withinMs,
    onWait,
  }: { readonly name: string; readonly withinMs: number; readonly onWait: () => void },
): Promise<Locator> {
  let many = 0;
  const found = await stage.until(async () => {
    onWait();
    many = 0;
    for (const way of ways(page(), aim, target)) {
      // Between two pages there is nothing.
      const count = await way.count().catch(() => 0);
      if (count === 1) return way;
      many = Math.max(many, count);
      if (count > 1) break;
    }
    return null;
  }, withinMs);
  return (
    found ??
    stage.unmet(
      name,
      `one ${targetWords(target)} to ${aim}`,
      many === 0
        ? `none that can be seen within ${withinMs} ms`
        : `${many} of them: say which by { role: …, name: … } or css=…`,
    )
  );
}
