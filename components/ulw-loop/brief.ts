/** Reads a brief in Markdown into a draft of a plan: what is to be done, one goal each, and what must hold meanwhile. */

import type { Token, Tokens } from "marked";
import { boundedObjective, decodeBrief, MAX_TITLE, shorten, withoutControls } from "../words/plain-text.ts";
import { type BriefKind, isConstraint, isProhibition, kindOfHeading, labelOf } from "./brief-words.ts";
import { draftCriteria, type GoalDraft, type PlanDraft } from "./draft.ts";
import {
  blocksOf,
  distinctTitles,
  headOf,
  isHeading,
  isList,
  itemText,
  plain,
  rawOf,
  titleOf,
} from "./markdown.ts";

/** Something the brief asks for, still growing: what follows it in the text belongs to it. */
interface Entry {
  readonly title: string;
  text: string;
}

interface Section {
  /** Null: before the first heading below the title. */
  readonly heading: string | null;
  readonly depth: number;
  readonly kind: BriefKind | null;
  readonly blocks: Token[];
}

/** What the sections add up to. */
interface Reading {
  readonly goals: Entry[];
  readonly constraints: Entry[];
  readonly deliverable: Entry[];
  /** Paragraphs before the first section; goals of their own unless sections bring goals. */
  readonly introduction: Entry[];
  /** What a Requirements section lists without words like must or never. */
  readonly features: Entry[];
}

/**
 * Reads a brief. A paragraph is one goal and a list one goal an item; a section is one goal unless its heading says
 * what it holds (Constraints, Context, Goals …). No visible word is lost: it ends in the title, the deliverable, an
 * objective or a constraint; only headings that say nothing but what follows ("Goals") are dropped.
 * @throws Refusal `brief_too_large`, `brief_not_text`, `brief_empty`
 */
export function parseBrief(markdown: Uint8Array | string): PlanDraft {
  const brief = decodeBrief(markdown);
  const { matter, body } = splitMatter(withoutControls(brief));
  const { title, sections } = sectionsOf(blocksOf(body));
  const reading: Reading = { goals: [], constraints: [], deliverable: [], introduction: [], features: [] };
  if (matter !== "") reading.deliverable.push({ title: "", text: matter });
  for (const section of sections) readSection(section, sections, reading);
  settle(reading, title, body);

  const titles = distinctTitles(reading.goals.map((goal) => goal.title));
  const goals: GoalDraft[] = reading.goals.map((goal, index) => {
    const shown = titles[index] ?? goal.title;
    const objective = boundedObjective(goal.text);
    return { title: shown, objective, criteria: draftCriteria(shown, objective), without: {} };
  });
  const deliverable = boundedObjective(reading.deliverable.map((entry) => entry.text).join("\n\n"));
  const planTitle = title === null ? untitled(reading, goals) : shorten(plain(title));
  return {
    title: planTitle,
    // A title that had to be cut is kept whole here.
    deliverable:
      title !== null && plain(title) !== planTitle
        ? [plain(title), deliverable].join("\n\n").trim()
        : deliverable,
    constraints: reading.constraints.map((entry) => entry.text),
    brief,
    verify: [],
    share: [],
    setup: [],
    goals,
  };
}

/** A title for a brief that gives none. */
function untitled({ deliverable }: Reading, goals: readonly GoalDraft[]): string {
  const first = goals[0]?.title ?? "Plan";
  const said = deliverable.find((entry) => entry.title !== "")?.title.replace(/\s*:$/u, "");
  if (said || goals.length < 2) return said || first;
  const more = ` (and ${goals.length - 1} more)`;
  return shorten(first, MAX_TITLE - more.length) + more;
}

/** YAML between `---` lines at the very start is about the brief: context, no goal. */
function splitMatter(text: string): { matter: string; body: string } {
  const found = /^---[ \t]*\n(?=[\w-]+:)((?:[\w-]+:.*\n|[ \t]+.*\n|- .*\n|#.*\n|\n)+)---[ \t]*(?:\n|$)/u.exec(
    text,
  );
  const body = text.slice(found?.[0].length ?? 0);
  // Nothing but such lines: then they are the brief.
  return found === null || body.trim() === ""
    ? { matter: "", body: text }
    : { matter: (found[1] ?? "").trim(), body };
}

/** The title, and the text cut at its headings. Headings of the fourth level and below stay in the text above them. */
function sectionsOf(tokens: readonly Token[]): { title: string | null; sections: Section[] } {
  let title: string | null = null;
  let current: Section = { heading: null, depth: 1, kind: null, blocks: [] };
  const sections = [current];
  for (const token of tokens) {
    if (token.type === "space" || token.type === "hr") continue;
    if (!isHeading(token)) {
      current.blocks.push(token);
      continue;
    }
    if (token.depth === 1 && title === null) {
      title = token.text;
      continue;
    }
    const own = kindOfHeading(plain(token.text));
    if (token.depth > 3 && own === null && current.heading !== null) {
      current.blocks.push(token);
      continue;
    }
    // Rules and context cover their sub-headings; sub-headings of Goals are goals by themselves.
    const above = sections.findLast((section) => section.heading !== null && section.depth < token.depth);
    const inherited = above?.kind === "goals" ? null : (above?.kind ?? null);
    current = { heading: token.text, depth: token.depth, kind: own ?? inherited, blocks: [] };
    sections.push(current);
  }
  return { title, sections };
}

function readSection(section: Section, all: readonly Section[], into: Reading): void {
  const { heading, kind, blocks } = section;
  if (heading === null) {
    readBody(blocks, into, false);
    return;
  }
  const named = plain(heading);
  const said = kindOfHeading(named, true) === null ? named : "";
  if (kind === "constraints" || kind === "requirements") {
    for (const line of linesOf(blocks)) {
      const entry = { title: line.title, text: said === "" ? line.text : `${said}: ${line.text}` };
      if (kind === "requirements" && line.item && !isConstraint(plain(line.text))) into.features.push(entry);
      into.constraints.push(entry);
    }
    if (said !== "" && blocks.length === 0) into.deliverable.push({ title: "", text: said });
  } else if (kind === "context") {
    into.deliverable.push({ title: "", text: [named, ...blocks.map(rawOf)].join("\n\n") });
  } else if (kind === "goals") {
    if (said !== "") into.deliverable.push({ title: "", text: said });
    readBody(blocks, into, true);
  } else if (
    blocks.length === 0 &&
    all[all.indexOf(section) + 1] !== undefined &&
    (all[all.indexOf(section) + 1]?.depth ?? 0) > section.depth
  ) {
    // Only a roof for the headings below it.
    into.deliverable.push({ title: "", text: named });
  } else {
    const text = blocks.map(rawOf).join("\n\n");
    const title = shorten(named);
    into.goals.push({
      title,
      text: title === named && text !== "" ? text : [named, text].join("\n\n").trim(),
    });
  }
}

/** Paragraphs and lists in their order. `explicit`: under a heading like Goals, where only prohibitions are no goals. */
function readBody(blocks: readonly Token[], into: Reading, explicit: boolean): void {
  const single = explicit ? into.goals : into.introduction;
  const ruled = (text: string): boolean => (explicit ? isProhibition(text) : isConstraint(text));
  let last: Entry | null = null;
  const pending: string[] = [];
  const push = (list: Entry[], entry: Entry): void => {
    if (list !== into.constraints && pending.length > 0)
      entry.text = [...pending.splice(0), entry.text].join("\n\n");
    list.push(entry);
    last = entry;
  };
  for (const [index, block] of blocks.entries()) {
    const next = blocks[index + 1];
    if (isList(block)) {
      const before = blocks[index - 1];
      const lead = before?.type === "paragraph" ? plain(rawOf(before)) : "";
      readList(block, lead, into, explicit, push);
    } else if (block.type === "paragraph") {
      const text = rawOf(block);
      const shown = plain(text);
      const label = labelOf(shown);
      const entry = { title: titleOf(text), text };
      if (next !== undefined && isList(next)) {
        const outcome = listOutcome(next, shown, explicit);
        // "Goals:" alone says nothing more; a lead of rules goes in front of each of them.
        if (kindOfHeading(shown, true) !== null || outcome === "rules") continue;
        if (outcome === "context" || outcome === "goals") push(into.deliverable, entry);
        else push(ruled(shown) ? into.constraints : single, entry);
      } else if (label === "constraints" || label === "requirements") push(into.constraints, entry);
      else if (label === "context") push(into.deliverable, entry);
      else push(ruled(shown) ? into.constraints : single, entry);
    } else if (last === null) {
      pending.push(rawOf(block));
    } else {
      (last as Entry).text += `\n\n${rawOf(block)}`;
    }
  }
  if (pending.length > 0) into.deliverable.push({ title: "", text: pending.join("\n\n") });
}

type Push = (list: Entry[], entry: Entry) => void;

/**
 * What a list after the paragraph `lead` is: `rules` and `context` when the paragraph says so ("Never do these:",
 * "Constraints:"), `goals` when an item is one, `only_rules` when each item is a rule and the paragraph is the goal.
 */
function listOutcome(
  list: Tokens.List,
  lead: string,
  explicit: boolean,
): "rules" | "context" | "goals" | "only_rules" {
  const kind = kindOfHeading(lead) ?? (lead.endsWith(":") ? labelOf(lead) : null);
  if (kind === "constraints" || kind === "requirements") return "rules";
  if (kind === "context") return "context";
  if (isLeadIn(lead)) return "rules";
  return list.items.some((item) => isGoalItem(item, explicit || kind === "goals")) ? "goals" : "only_rules";
}

/** "Do not:", "Never change any of these:" */
const isLeadIn = (lead: string): boolean => lead.endsWith(":") && isProhibition(lead);

function isGoalItem(item: Tokens.ListItem, explicit: boolean): boolean {
  const text = plain(headOf(item));
  const label = labelOf(text);
  if (text === "" || label === "constraints" || label === "requirements" || label === "context") return false;
  // A box to tick is something to do, however it is worded.
  return !(explicit || item.task ? isProhibition(text) : isConstraint(text));
}

function readList(list: Tokens.List, lead: string, into: Reading, explicit: boolean, push: Push): void {
  const outcome = listOutcome(list, lead, explicit);
  // What forbids stays in front of what is forbidden, and no word of a longer lead is lost.
  const prefix =
    outcome === "rules" && kindOfHeading(lead, true) === null ? `${lead.replace(/\s*:$/u, "")}: ` : "";
  for (const item of list.items) {
    const text = itemText(item);
    if (plain(text) === "") continue;
    const entry = { title: titleOf(headOf(item) || text), text };
    if (outcome === "rules") push(into.constraints, { ...entry, text: prefix + text });
    else if (outcome === "context" || labelOf(plain(headOf(item))) === "context")
      push(into.deliverable, entry);
    else if (isGoalItem(item, explicit || kindOfHeading(lead) === "goals"))
      push(
        into.goals,
        item.checked === true
          ? { ...entry, text: `${text}\n\n(Ticked in the brief; still to be proven.)` }
          : entry,
      );
    else push(into.constraints, entry);
  }
}

/** The items and paragraphs of a section whose heading says what they are. Anything else stays with the line before it. */
function linesOf(blocks: readonly Token[]): { title: string; text: string; item: boolean }[] {
  const lines: { title: string; text: string; item: boolean }[] = [];
  for (const block of blocks) {
    const last = lines.at(-1);
    if (isList(block)) {
      for (const item of block.items) {
        const text = itemText(item);
        if (plain(text) !== "") lines.push({ title: titleOf(headOf(item) || text), text, item: true });
      }
    } else if (block.type === "paragraph" || last === undefined) {
      lines.push({ title: titleOf(rawOf(block)), text: rawOf(block), item: false });
    } else {
      last.text += `\n\n${rawOf(block)}`;
    }
  }
  return lines;
}

/** Decides what an introduction was, and sees to it that there is at least one goal. */
function settle(reading: Reading, title: string | null, body: string): void {
  const { goals, introduction, features, deliverable } = reading;
  if (goals.length > 0) {
    deliverable.unshift(...introduction);
    return;
  }
  if (introduction.length > 0) goals.push(...introduction);
  else if (title !== null)
    goals.push({ title: shorten(plain(title)), text: body.trim().replace(/^#[ \t]+/u, "") });
  else if (features.length > 0) {
    goals.push(...features);
    const taken = new Set(features);
    reading.constraints.splice(0, Infinity, ...reading.constraints.filter((entry) => !taken.has(entry)));
  } else goals.push({ title: titleOf(body), text: body.trim() });
}
