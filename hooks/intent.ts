/**
 * Whether a prompt asks for one of the workflows by name.
 *
 * The rules, in order, on the user's own words (`prose.ts`):
 * 1. The name is a word by itself, in any case, perhaps with the host's sign and our prefix (`$proofgate:ulw-loop`, `/ulw`).
 * 2. It is not negated in its clause ("don't use ulw", "ohne ulw"), except after "don't forget".
 * 3. It is not what the sentence is about: a question, an explanation, the object of an edit, a complaint.
 * In doubt there is no intent: a mode that begins unasked costs more than a word said twice.
 */

import { ownWords } from "./prose.ts";

/** Names that are looked at; a text with more of them is no prompt. */
const MOST_NAMES = 50;

export type Intent = "ulw-loop" | "performance-goal";

/** Scripts that write without spaces: their letters may touch the name. */
const SPACELESS =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Thai}ー々";
const LETTER = `(?![${SPACELESS}])[\\p{L}\\p{M}\\p{N}_]`;
const NAME = new RegExp(
  `(?<!${LETTER})(?<![-./\\\\:@#~+=&%$]|\\]\\()` +
    "([$/](?:proofgate:)?|proofgate:)?(ulw-loop|ulw|performance-goal)" +
    // Nor a file, a path, a call, a place in a file, the beginning of a longer name.
    `(?!${LETTER})(?![-/\\\\@=+~]|\\(\\)|\\]\\(|[.?'’](?:${LETTER})|:[\\d/])`,
  "giu",
);

/** A conjunction ends a clause, unless it joins two names ("no ulw or performance-goal"). */
const CLAUSE = new RegExp(
  "[,;:()，、；：（）—–]|\\s-\\s|" +
    "\\b(?:and|but|then|so|und|aber|dann|sondern|et|mais|puis|y|pero)\\b(?!\\s+(?:the\\s+)?[$/]?(?:ulw|performance-goal))",
  "giu",
);
const SENTENCE = /[.!?](?=\s|$)|[。！？…\n]/gu;

/** Negations that reach over some words of a clause, and those that only deny what stands next to them. */
const FAR =
  /^(?:not|never|nor|neither|cannot|(?:do|does|did|ca|wo|would|should|must|need|is)n['’]?t|nicht|niemals|nie|ne|pas|jamais|nunca)$/iu;
const NEAR =
  /^(?:no|without|w\/o|stop|stopp|cancel|disable|avoid|skip|quit|exit|leave|end|abort|off|instead|rather|except|than|kein\p{L}*|ohne|statt|anstatt|beende|sans|aucun|arr[êe]te[rz]?|plut[ôo]t|lieu|sin)$/iu;
const FORGET = /\b(?:forget|vergiss|vergessen|oublie\p{L}*)\b|忘/iu;
const DENIED_BEHIND = new RegExp(
  [
    "^\\s*(?:mode\\s+)?(?:is\\s+|was\\s+)?(?:not\\b|off\\b|no longer|unnecessary|aus\\b(?!\\s)|nicht\\b|non\\b(?!-))",
    "^\\s*(?:stop|cancel|abort|end)\\s*$",
    "\\bnicht(?:\\s+(?:verwend|benutz|nutz|start|gestart|einsetz|mehr)\\p{L}*(?:\\s+werden)?)?\\s*$",
    "^\\s*(?:モード)?(?:を|は|も|の)?\\s*(?:使(?:わ|用し|用せ)|利用し|起動し|し)?(?:ない|ず|なし|無し|抜き|やめ|止め|停止|不要|禁止)",
    "^\\s*(?:模式)?\\s*(?:不要|不用|别|別|关|關|停)",
    "^\\s*(?:은|는|을|를)?\\s*(?:쓰지|사용하지|없이|말고)",
  ].join("|"),
  "iu",
);
const DENIED_CJK =
  /(?:不要|不用|不需要|无需|無需|不想|不必|禁止|停止|取消|勿|没有|沒有|关闭|關閉|别|別).{0,6}$/u;

const ASKS =
  /^(?:[\s\ufffc]*(?:(?:hey|hi|ok|so|and|und|et)[\s,]+)?)(?:what|how|why|when|where|who|which|is|are|was|were|does|did|has|should|shall|wie|warum|wieso|weshalb|wann|wozu|ist|soll|sollte|hat|qu|que|qui|comment|pourquoi|est|c['’]est|do (?:i|you|we)|can (?:i|we|ulw|the))(?![\p{L}])/iu;
const REQUESTS =
  /\b(?:can|could|would|will) (?:you|u)\b|\b(?:please|pls|plz|kannst|könntest|können|könnten|würdest|bitte|peux|pouvez|pourri\p{L}+|plaît|svp|puedes|podrías)\b|请|請|帮|幫|能不能|可以|ください|くれ|もらえ|いただけ|お願い|해\s?줘|주세요/iu;
const ASKS_CJK = /什么是|什麼是|是什么|是什麼|怎么用|怎麼用|如何使用|为什么|為什麼|とは|って何|なぜ|뭐|무엇/u;
/** What explains, names or edits the thing instead of using it, right before the name. */
const ABOUT =
  /(?:^|[^\p{L}])(?:(?:explain|describe|about|document|used|tried|ran|rename|delete|remove|add|edit|update|grep|find|search|mention|read|review|test|debug|fix|install|uninstall|implement|erklär\p{L}*|expliqu\p{L}*|proofgate|omo|omx)(?:\s+(?:for|the|a|our|my|me|mir|den|die|das|le|la))*\s*$)|(?:解释|解釋|介绍|介紹|説明|教えて)[^\s]{0,4}\s*$/iu;
const USES =
  /(?:^|[^\p{L}])(?:us(?:e|ing)|run|start|launch|enter|enable|with|via|through|in|into|do|go|invoke|activate|begin|mit|per|nutze|benutze|verwende|starte|avec|utilise[rz]?|lance[rz]?)(?![\p{L}])/iu;
const ARTICLE = /(?:^|\s)(?:the|a|an|of|our|my|your|this|that|der|die|das|den|dem|des|le|la|les|el)\s*$/iu;
/** The name as subject: something is said of it. */
const SAID_OF_IT =
  /^\s*[:=]\s*(?:off|no|aus|non)(?![\p{L}-])|^\s+(?:is|was|are|does|doesn['’]?t|did|didn['’]?t|has|had|hasn['’]?t|isn['’]?t|wasn['’]?t|fails|failed|works|worked|crashe[sd]|seems|keeps|can['’]?t|ist|war|hat|funktioniert|est|marche|docs?|documentation|tests?|source|code|command|plugin|README)(?![\p{L}])/iu;

export function intentOf(prompt: string): Intent | null {
  // A line of its own is a clause of its own, unless the line before breaks off in the middle.
  const text = ownWords(prompt).replace(
    /\b(not|never|no|without|use|using|the|with|don['’]t|nicht|kein|keine|ohne|pas|sans|avec|mit)[ \t]*\n(?!\n)/giu,
    "$1 ",
  );
  let left = MOST_NAMES;
  for (const match of text.matchAll(NAME)) {
    if (left-- === 0) break;
    const name = match[2]?.toLowerCase() === "performance-goal" ? "performance-goal" : "ulw-loop";
    if (isMeant(text, match.index, match[0])) return name;
  }
  return null;
}

function isMeant(text: string, at: number, name: string): boolean {
  const behind = at + name.length;
  // Sentences and clauses are looked for nearby only, so that a long text costs no more than its length.
  const left = text.slice(Math.max(0, at - 400), at);
  const right = text.slice(behind, behind + 400);
  const sentence = left.slice(lastEnd(left, SENTENCE));
  const clause = sentence.slice(lastEnd(sentence + name, CLAUSE));
  const clauseBehind = right.slice(0, firstStart(right.slice(0, firstStart(right, SENTENCE)), CLAUSE));
  const asked = /^[?？]/u.test(right.slice(firstStart(right, SENTENCE)));
  return (
    !isNegated(clause, clauseBehind) &&
    !ABOUT.test(clause) &&
    !SAID_OF_IT.test(right) &&
    !(ARTICLE.test(clause) && !USES.test(clause)) &&
    !isAskedAbout({ sentence, right, asked, called: /^[$/]/.test(name) })
  );
}

function isNegated(clause: string, behind: string): boolean {
  if (FORGET.test(clause) || FORGET.test(behind)) return false;
  const words = clause.match(/w\/o|[\p{L}\p{N}\ufffc'’]+/gu) ?? [];
  return (
    words.slice(-7).some((word) => FAR.test(word) || /^n['’]/iu.test(word)) ||
    words.slice(-3).some((word) => NEAR.test(word)) ||
    DENIED_CJK.test(clause) ||
    DENIED_BEHIND.test(behind)
  );
}

/** A question is no intent, unless it asks for something to be done, or the name only calls us ("/ulw-loop why is it slow?"). */
function isAskedAbout(at: {
  readonly sentence: string;
  readonly right: string;
  readonly asked: boolean;
  readonly called: boolean;
}): boolean {
  const { sentence, right, asked } = at;
  const first = sentence.trim() === "";
  if (first && (at.called || /^\s*[:：,，]\s*[^\s]/u.test(right))) return false;
  if (ASKS_CJK.test(sentence) || ASKS_CJK.test(right.slice(0, 6))) return true;
  if (REQUESTS.test(sentence) || REQUESTS.test(right.slice(0, firstStart(right, SENTENCE)))) return false;
  const words = sentence.match(/[\p{L}\p{N}'’]+/gu)?.length ?? 0;
  return asked || (ASKS.test(sentence) && words <= 4);
}

function lastEnd(text: string, boundary: RegExp): number {
  let end = 0;
  for (const match of text.matchAll(boundary)) end = match.index + match[0].length;
  return end;
}

function firstStart(text: string, boundary: RegExp): number {
  for (const match of text.matchAll(boundary)) return match.index;
  return text.length;
}
