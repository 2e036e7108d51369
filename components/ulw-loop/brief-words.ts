/** The words by which a brief tells rules from work: headings that name what follows, and sentences that only forbid. */

export type BriefKind = "constraints" | "requirements" | "context" | "goals";

const HEADINGS: Readonly<Record<BriefKind, string>> = {
  constraints:
    "constraints?|rules?|ground rules|must|must not|must nots?|musts|never|do not|don[’']?ts?|dos and don[’']?ts|non[- ]?goals?|out of scope|not in scope|guidelines?|guardrails?|limits?|limitations?|restrictions?|conventions?|boundaries|acceptance|acceptance criteria|success criteria|definition of done|invariants?|rahmenbedingungen|regeln|einschränkungen|vorgaben|nicht[- ]?ziele|contraintes?|règles|hors périmètre|restricciones|reglas|fuera de alcance",
  requirements:
    "requirements?|non[- ]functional requirements?|functional requirements?|anforderungen|exigences|requisitos",
  context:
    "notes?|context|background|motivation|overview|introduction|summary|about|why|problem|problem statement|references?|links?|see also|glossary|history|hinweise?|hintergrund|kontext|notizen|contexte|arrière-plan|contexto|antecedentes|notas",
  goals:
    "goals?|tasks?|deliverables?|stories|user stories|steps?|milestones?|plan|the plan|to ?-?dos?|todo list|task list|work|work items|objectives?|scope|features?|what to do|ziele|aufgaben|schritte|objectifs?|tâches|étapes|objetivos?|tareas|pasos",
};

/** Words that may stand around the one that matters: `3. Project constraints (hard)`. */
const AROUND =
  "(?:(?:hard|key|general|global|project|technical|design|main|important|additional|other|our|the|all|some|strict) )?";

const exact = (kind: BriefKind): RegExp =>
  new RegExp(
    `^(?:[\\d.]+[.)]? *|[\\p{Extended_Pictographic}\\ufe0f\\u200d]+ *)?${AROUND}(?:${HEADINGS[kind]})(?: *(?:and|&|/|,) *(?:${HEADINGS[kind]}))* *(?:\\([^)]*\\))? *[:.]?$`,
    "iu",
  );

/** Headings that turn the meaning of what is below them: they stay in front of each line. */
const TURNS =
  /^(?:must not|must nots?|never|do not|don[’']?ts?|non[- ]?goals?|out of scope|not in scope|nicht[- ]?ziele|hors périmètre|fuera de alcance)\b/iu;

const bare = (kind: BriefKind): RegExp => new RegExp(`^(?!${TURNS.source})(?:${HEADINGS[kind]}) *:?$`, "iu");

const KINDS: readonly BriefKind[] = ["constraints", "requirements", "context", "goals"];
const EXACT = KINDS.map((kind) => [kind, exact(kind)] as const);
const BARE = KINDS.map((kind) => [kind, bare(kind)] as const);
const LABEL = KINDS.map((kind) => [kind, new RegExp(`^(?:${HEADINGS[kind]}) *:(?: |$)`, "iu")] as const);

/**
 * What a heading says about the text below it; null: nothing, so it names a goal.
 * @param structural only a heading that consists of such a word alone, so that dropping it loses nothing
 */
export const kindOfHeading = (heading: string, structural = false): BriefKind | null =>
  (structural ? BARE : EXACT).find(([, pattern]) => pattern.test(heading.trim()))?.[0] ?? null;

/** What a line says about itself: `Constraints: keep it small`. `Note:` and `NB:` are context. */
export const labelOf = (line: string): BriefKind | null =>
  /^(?:nb|n\.b\.|fyi|hint|hinweis|remarque|nota) *: /iu.test(line)
    ? "context"
    : (LABEL.find(([, pattern]) => pattern.test(line))?.[0] ?? null);

/** Ends a word where `-` does not go on: `No regressions`, but not `No-op mode`. */
const END = "(?![\\p{L}\\p{N}]|-\\p{L})";

const start = (words: string): RegExp =>
  new RegExp(`^(?:please |bitte |also |and |but |important: |s'il vous plaît )?(?:${words})${END}`, "iu");

/** What a prohibition begins with. */
const PROHIBITS = start(
  "(?:you |we |it |they |this |that |there |agents? )?(?:must not|must never|mustn[’']t|shall not|should not|should never|shouldn[’']t|may not)|never|do not|don[’']t|does not|avoid(?:ing)?|no|nothing may|nobody may|not to|niemals|nie|keinesfalls|auf keinen fall|keine?[nrms]?|vermeide\\w*|ne (?:pas|jamais|rien)|jamais|aucune?|pas de|évite[zr]?|nunca|jamás|evitar?|ning[uú]n\\w*",
);

/** What a rule that demands something begins with. */
const DEMANDS = start(
  "(?:you |we |it |they |this |that |there |everything |all |the result )?(?:must|has to|have to|shall)|only|always|keep|without|at most|at least|stay|ensure|make sure|nur|immer|stets|ohne|muss|toujours|sans|seulement|uniquement|siempre|sin|solo|sólo|solamente",
);

/** A subject that must or must not do something: `The log must never contain a token`. */
const MODAL =
  /^(?!.*(?:\bthat|\bwhich|\bwho|\bso|\bif|\bwhen)\b.{0,60}\bmust\b)[\p{L}\p{N}`'"’/.,()_ -]{1,80}?(?<![\p{L}\p{N}])(?:must(?: not| never)?|mustn[’']t|shall(?: not)?|should not|shouldn[’']t|should never|may not|muss|müssen|dürfen|darf|doit|doivent|debe|deben)(?![\p{L}\p{N}])/iu;

const MODAL_PROHIBITS =
  /^[\p{L}\p{N}`'"’/.,()_ -]{1,80}?(?<![\p{L}\p{N}])(?:must not|must never|mustn[’']t|shall not|should not|shouldn[’']t|should never|may not|(?:darf|dürfen) (?:nicht|nie|niemals|kein\w*)|ne doi(?:t|vent) (?:pas|jamais)|no deben?|nunca deben?)(?![\p{L}\p{N}])/iu;

/** Verbs that begin work. A sentence that starts with one asks for something, whatever it says further on. */
const WORK = new RegExp(
  `^(?:please |then |also |and |next,? |finally,? |first,? )?(?:add|allow|amend|analy[sz]e|automate|bring|build|change|clean|complete|configure|connect|convert|correct|create|cut|debug|define|delete|deliver|deploy|design|detect|develop|document|draw|drop|enable|export|extend|extract|find|finish|fix|format|generate|give|handle|harden|implement|import|improve|include|increase|install|integrate|introduce|investigate|let|lower|make(?! sure)|measure|merge|migrate|mock|move|normalise|normalize|open|optimi[sz]e|parse|polish|port|prepare|print|profile|provide|publish|put|raise|read|rebuild|record|reduce|refactor|release|remove|rename|render|repair|replace|report|restore|return|rework|rewrite|run|save|send|serve|set|ship|show|simplify|solve|sort|speed|split|start|stop|store|stream|support|switch|take|teach|test|track|translate|turn|unify|update|upgrade|use|validate|wire|write|baue|behebe|erstelle|füge|schreibe|ajoute[rz]?|cr[ée]e[rz]?|corrige[rz]?|añad\\w+|crea\\w*|corrige|arregla\\w*)${END}`,
  "iu",
);

/** The same for scripts that put no space between words. */
const UNSPACED_PROHIBITS = /^(?:不得|不要|不能|禁止|切勿|请勿|避免|绝不)/u;
const UNSPACED_DEMANDS = /^(?:必须|务必|始终|只能|保持|確保|确保)/u;

/** Sentences of a line; a full stop inside `e.g.` or `v1.2` ends none. */
const sentences = (text: string): string[] =>
  text
    .split(/(?<=[.!?。！？])\s+(?=[\p{Lu}\p{Lo}`"'])/u)
    .map((part) => part.trim())
    .filter((part) => part !== "");

const rules =
  (test: (sentence: string) => boolean) =>
  (text: string): boolean => {
    const [first, ...more] = sentences(text);
    // The rule may explain itself in further sentences, but none of them may ask for work.
    return first !== undefined && test(first) && !more.some((sentence) => WORK.test(sentence));
  };

/** The line only says what must or must not hold while the work is done. */
export const isConstraint = rules(
  (sentence) =>
    !WORK.test(sentence) &&
    [PROHIBITS, DEMANDS, MODAL, UNSPACED_PROHIBITS, UNSPACED_DEMANDS].some((rule) => rule.test(sentence)),
);

/** The line only forbids. */
export const isProhibition = rules(
  (sentence) =>
    !WORK.test(sentence) &&
    [PROHIBITS, MODAL_PROHIBITS, UNSPACED_PROHIBITS].some((rule) => rule.test(sentence)),
);
