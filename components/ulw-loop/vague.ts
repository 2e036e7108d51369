/** When a scenario names nothing that can be seen to pass or fail. */

/** Anything of these makes a scenario concrete, whatever else it says. */
const CONCRETE: readonly RegExp[] = [
  // Code, and quoted output of at least one character.
  /`[^`]+`/u,
  /"[^"]+"|“[^”]+”|„[^“”]+[“”]|«[^»]+»|「[^」]+」|(?<![\p{L}\p{N}])'[^']+'(?!\p{L})/u,
  // A number of its own: status code, exit code, count, size, time.
  /(?<![\p{L}\p{N}_])\d/u,
  // A URL, a path, a file name (but not Node.js, nor e.g.).
  /\bhttps?:\/\//iu,
  /(?<![\p{L}\p{N}])(?:~|\.{1,2})?\/[\w.-]+/u,
  /[\w.-]+\/[\w.-]+\/[\w./-]*/u,
  /\b(?!(?:node|next|vue|nuxt|three|express|react|d3)\.js\b|e\.g\b|i\.e\b)[\w-]+\.[a-z][a-z0-9]{0,4}\b(?!\s*\()/iu,
  // A flag, a request line.
  /(?<!\S)--?[a-z][\w-]*/u,
  /\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\s+\S/u,
  // Commands with an argument. Words that are also English need one that shows it is meant.
  /\b(?:npm|npx|pnpm|yarn|pytest|cargo|curl|wget|psql|sqlite3|jest|vitest|rspec|mvn|gradle|tsc|grep|jq|kubectl)\s+(?!works?\b|is\b|should\b|and\b|still\b|command\b)\S/iu,
  /\b(?:node|bun|deno|python3?|ruby|php|java|perl|bash|sh)\s+(?:\S*[./-]\S*|test\b|run\b)/iu,
  /\bgo\s+(?:test|run|build|vet)\b|\bgit\s+(?:status|diff|log|add|commit|push|pull|clone|fetch|merge|rebase|checkout|stash|tag|apply)\b|\bmake\s+(?:test|check|build|all|install|clean|lint)\b|\bdocker\s+(?:run|build|compose|ps|exec)\b/iu,
];

const END = "(?![\\p{L}\\p{N}_])";
const START = "(?<![\\p{L}\\p{N}_])";
const phrase = (source: string): RegExp => new RegExp(`${START}(?:${source})${END}`, "iu");

/** Phrases that sound like a result and show none. Each may be fine inside a scenario that also names something seen. */
const VAGUE: readonly RegExp[] = [
  "(?:still |just |all |it )?(?:works?|working|functions?)(?: (?:fine|well|properly|correctly|right|again|now|ok|okay|perfectly|normally|reliably|flawlessly))?(?: (?:as|like) (?:expected|intended|designed|required|it should|before))?",
  "as (?:expected|intended|designed|required|desired|appropriate|it should(?: be)?)",
  "(?:returns?|gives?|shows?|prints?|outputs?|produces?|displays?|answers?)(?: with)?(?: (?:the|a|an))? (?:correct|right|expected|proper|good|valid|appropriate|desired|sensible|meaningful)(?: \\p{L}+)?",
  "(?:the )?(?:correct|right|expected|proper|appropriate|desired) (?:results?|outputs?|thing|behaviou?rs?|responses?|data|values?)",
  "should (?:be able to )?(?:respond|work|pass|function|run|behave|succeed|be (?:fine|ok|okay|good|fast|correct|right|done|stable|handled))(?: (?:correctly|properly|fine|well))?",
  "(?:looks?|seems?|appears?|feels?|is|are|be|was) (?:to be )?(?:all )?(?:correct|good|right|fine|ok|okay|nice|done|finished|complete|completed|robust|stable|clean|valid|sane|reasonable|solid|working|ready|implemented|supported|handled|covered)",
  "(?:behaves?|performs?|handles?|runs?|loads?|responds?|renders?)(?: \\p{L}+){0,3} (?:correctly|properly|well|gracefully|appropriately|nicely|fine|successfully|smoothly|right)",
  "(?:correctly|properly|gracefully|appropriately|successfully|smoothly|robustly)",
  "handles? (?:all |the |any |every )?(?:edge cases?|errors?|cases?|bad inputs?|invalid inputs?|everything|exceptions?|failures?)",
  "(?:check|verify|test|validate|confirm|review|inspect|ensure|make sure|try)(?: out)?(?: that| of)? (?:everything|all|it|this|that|things?|stuff)",
  "(?:check|verify|test|validate|confirm|review|inspect|ensure|try)(?: that| out)? (?:the |all |all the |every |my |our )?(?:new )?(?:features?|changes?|fix|fixes|code|app|application|functionality|behaviou?r|implementation|results?|outputs?|edge cases?|errors?|cases|goal|system|program|project|component|module|page|endpoint|function|tool)",
  "(?:has |have |with |there (?:is|are) )?no (?:more )?(?:issues?|problems?|bugs?|regressions?|errors?)",
  "(?:nothing|does ?n[o']t|do ?n[o']t) (?:is |gets )?(?:breaks?|broken|crash(?:es)?|fails?)",
  "(?:high|good|better) quality|best practices?|user[- ]friendly|meets? (?:the |all )?requirements?|good performance|fast enough|is fast",
  "same as (?:above|before)|as above|see above|tbd|to be (?:done|defined|decided)|todo|n/a|lol|whatever",
  "funktioniert(?: (?:korrekt|richtig|gut|wie erwartet))?|fonctionne(?: (?:bien|correctement))?|funciona(?: (?:bien|correctamente))?|wie erwartet|comme prévu|como se espera",
].map(phrase);

/** What a reader can see happen; left over beside a vague phrase, it is what decides. */
const OBSERVABLE = phrase(
  "prints?|exits?|returns?|answers?|rejects?|rejected|refuses?|refused|leaves?|writes?|written|creates?|created|deletes?|deleted|removes?|removed|contains?|equals?|equal|shows?|shown|lists?|listed|fails?|throws?|raises?|logs?|warns?|keeps?|stays?|remains?|unchanged|redirects?|opens?|closes?|matches?|differs?|includes?|lacks?|stops?|appears?|disappears?|identical|empty|sorted|skips?|skipped|restores?|restored",
);

const SCRIPT_WITHOUT_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;

/** Words of the text, a quoted value (`""` as well) among them; in scripts without spaces two signs count as one. */
function wordCount(text: string): number {
  const unspaced = text.match(SCRIPT_WITHOUT_SPACES)?.length ?? 0;
  const rest = text.replace(SCRIPT_WITHOUT_SPACES, " ");
  return Math.ceil(unspaced / 2) + (rest.match(/[\p{L}\p{N}]\S*|"[^"]*"/gu)?.length ?? 0);
}

/**
 * Why a scenario cannot be judged by a run, or null when it can.
 * It is honest about its limits: it finds scenarios that only claim, not scenarios that claim the wrong thing.
 */
export function vagueReason(scenario: string): string | null {
  const text = scenario.trim();
  if (/^draft\s*\(/iu.test(text))
    return "it is still a draft: name the tool, the steps, the inputs and a binary pass or fail";
  if (wordCount(text) < 3) return "fewer than three words cannot name steps and a result";
  if (CONCRETE.some((sign) => sign.test(text))) return null;
  let rest = text;
  let first: string | null = null;
  for (const pattern of VAGUE) {
    first ??= text.match(pattern)?.[0] ?? null;
    rest = rest.replace(new RegExp(pattern, "giu"), " ");
  }
  if (first === null || OBSERVABLE.test(rest)) return null;
  return `"${first.trim()}" names nothing that can be seen to pass or fail: add the command, the input and what it prints, returns or leaves`;
}
