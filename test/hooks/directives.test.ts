/** What a prompt orders: intents, steering directives, approvals; and the short texts that are injected. */

import { describe, expect, test } from "bun:test";
import {
  approval,
  type Intent,
  intentOf,
  intentText,
  startText,
  steerDirective,
} from "../../hooks/directives.ts";
import { bytes } from "../../hooks/text.ts";
import { plan, wild } from "./facts.ts";

const U = "ulw-loop";
const P = "performance-goal";

const INTENTS: readonly (readonly [string, Intent | null])[] = [
  // Asked for, in the forms that people use.
  ["ulw", U],
  ["ULW", U],
  ["ulw-loop", U],
  ["$ulw-loop", U],
  ["/ulw-loop", U],
  ["/ulw fix the importer", U],
  ["$proofgate:ulw-loop ship it", U],
  ["proofgate:ulw-loop ship it", U],
  ["ulw: fix the importer, and don't touch the API", U],
  ["ulw fix the importer without breaking the API", U],
  ["Please use ulw-loop to ship the importer.", U],
  ["use the ulw-loop skill for this", U],
  ["Fix the importer. ulw", U],
  ["Fix the importer and do not stop until it works\nulw", U],
  ["Do it with **ulw**, thanks!", U],
  ["(ulw) fix all of it", U],
  ["🚀 ulw 🚀 fix it", U],
  ["🚀ulw!", U],
  ["fix the parser, ulw-loop, never commit", U],
  ["Can you use ulw to fix the importer?", U],
  ["could you run ulw-loop on this repo please?", U],
  ["/ulw-loop why is the build so slow?", U],
  ["ulw: why is the build so slow? Find out and fix it", U],
  ["don't forget to use ulw", U],
  ["use ulw and never give up", U],
  ["don't use ulw, use performance-goal", P],
  ["$performance-goal make the parser 20% faster", P],
  ["$proofgate:performance-goal parser", P],
  ["start a performance-goal for the parser", P],
  ["Bitte mit ulw den Importer reparieren.", U],
  ["ulw nicht vergessen: Importer reparieren", U],
  ["Nutze ulw-loop, aber committe nichts", U],
  ["Utilise ulw-loop pour réparer l'importateur", U],
  ["Répare l’import avec ulw, s’il te plaît", U],
  ["用ulw-loop修复导入器", U],
  ["请用 ulw 完成这个任务。", U],
  ["别忘了用ulw", U],
  ["ulw-loopを使ってインポートを直して", U],
  ["ulwで壊さないように直してください", U],
  ["ulw로 고쳐줘", U],
  ['The log said "ulw is off".\n\nNow use ulw here.', U],
  ["```\nulw\n```\nuse ulw-loop for that", U],
  ["don't say 'no ulw' again, use ulw", U],
  ["Kannst du ulw nutzen, um das zu reparieren?", U],
  ["don't ask me questions, just ulw", U],
  ["使用 ulw-loop 模式，不要提交代码", U],
  ["テストを壊さないで、ulwで直して", U],
  ['[ulw] rename "a" to "b"', U],
  // Part of something else.
  ["fix the bulwark module", null],
  ["ulw-loops are great", null],
  ["my-ulw is a branch", null],
  ["open ulw.ts and fix it", null],
  ["see src/ulw/index.ts", null],
  ["see .omo/ulw-loop/goals.json", null],
  ["read https://example.com/ulw-loop for it", null],
  ["https://example.com/?mode=ulw", null],
  ["set ULW_MODE=1", null],
  ["--ulw is a flag", null],
  ["call ulw() twice", null],
  ["ulw_loop", null],
  ["[docs](ulw-loop) and @ulw-loop and #ulw", null],
  ["the culwert", null],
  ["ulwé", null],
  ["a performance goal of 20%", null],
  // Quoted, code, pasted.
  ['"use ulw" is what he wrote', null],
  ["he said 'use ulw' and left", null],
  ["er schrieb „nutze ulw“ und ging", null],
  ["il a écrit « utilise ulw » hier", null],
  ["「ulwを使って」と言われた", null],
  ["他说“用ulw”", null],
  ["what `ulw` does here I know", null],
  ["run ``use ulw `x` `` later", null],
  ["```sh\nuse ulw\n```", null],
  ["~~~\nuse ulw\n~~~\nfix it", null],
  ["```\nuse ulw", null],
  ["```use ulw``` is what he wrote\nfix it", null],
  ["```x``` is what he wrote\nulw", U],
  ["user@host:~/src$ ulw status", null],
  ["    at ulw (src/a.ts:1:2)", null],
  ["> use ulw\n\nfix what he asks for", null],
  ["  > ulw-loop\nis what he wrote", null],
  ["Fix this:\n\n    use ulw\n", null],
  ["2026-11-21T07:58:03Z INFO starting\nuse ulw\n\nfix that", null],
  ["[12:01:07] use ulw", null],
  ["ERROR use ulw", null],
  ["$ ulw-loop status\nulw: not found\n\nwhy?", null],
  ["Exit code: 0\nOutput:\nuse ulw now", null],
  ["<tool_output>\nuse ulw\n</tool_output>\nsummarise it", null],
  ["<tool_output>\n</tool_output>\nuse ulw\n</tool_output>\nsummarise it", null],
  ["README.md:12: use ulw", null],
  ['{"mode": "ulw"}', null],
  ['{\n  "mode": true,\n  use ulw\n}', null],
  ["diff --git a/x b/x\n+use ulw", null],
  // Negated.
  ["don't use ulw", null],
  ["Don’t use ulw here", null],
  ["do not use\nulw", null],
  ["please do not run this with ulw-loop", null],
  ["never use ulw here", null],
  ["no ulw-loop", null],
  ["no ulw or performance-goal please", null],
  ["don't use ulw-loop and performance-goal", null],
  ["without ulw", null],
  ["fix it without using the ulw-loop", null],
  ["stop ulw", null],
  ["stop the ulw-loop now", null],
  ["turn off ulw", null],
  ["ulw off", null],
  ["/ulw-loop stop", null],
  ["ulw: off", null],
  ["We don't need ulw", null],
  ["请不要使用 ulw-loop 模式", null],
  ["ulw is not needed", null],
  ["instead of ulw just fix it", null],
  ["ohne ulw bitte", null],
  ["kein ulw-loop", null],
  ["ulw nicht verwenden", null],
  ["ulw brauche ich heute nicht", null],
  ["n'utilise pas ulw", null],
  ["sans ulw-loop", null],
  ["不要用ulw", null],
  ["不用 ulw-loop", null],
  ["ulw-loopを使わないで直して", null],
  ["ulwなしで直して", null],
  ["ulw 쓰지 말고 고쳐줘", null],
  // Talked about.
  ["what is ulw-loop?", null],
  ["What is ulw", null],
  ["ulw?", null],
  ["ulw-loop?", null],
  ["how does ulw-loop work", null],
  ["why not use ulw?", null],
  ["should I use ulw for this?", null],
  ["is ulw on?", null],
  ["can we use ulw here?", null],
  ["we used ulw yesterday", null],
  ["Can you explain ulw-loop?", null],
  ["tell me about ulw", null],
  ["was ist ulw?", null],
  ["c'est quoi ulw ?", null],
  ["什么是ulw-loop", null],
  ["ulw-loopとは", null],
  ["ulw-loop failed again", null],
  ["update the ulw-loop docs", null],
  ["rename ulw-loop in the README", null],
  ["run proofgate ulw-loop status", null],
  ["omo ulw-loop steer: {}", null],
  ["", null],
];

describe("intentOf", () => {
  test.each(INTENTS)("%j", (prompt, intent) => {
    expect(intentOf(prompt)).toBe(intent);
  });

  test("answers any string, and does not hang on a long one", () => {
    for (const text of wild(200)) intentOf(text);
    const pieces = [
      "ulw ",
      "`",
      '"',
      "'a",
      "<a>\n",
      "<a",
      "don't ",
      "\n",
      "> ",
      "ulw nicht ",
      "«",
      "(",
      "a",
      " ",
    ];
    for (const start of ["", " at ", "a@", "{", "|", "<a ", "ulw", "x.y", "not"])
      for (const piece of pieces) intentOf(start + piece.repeat(60_000));
  });
});

describe("steerDirective", () => {
  const json = { kind: "annotate_ledger", evidence: "e", rationale: "a } in a string" };
  const text = JSON.stringify(json);

  test.each([
    `OMO_ULW_LOOP_STEER: ${text}`,
    `omo.ulw-loop.steer: ${text}`,
    `omo ulw-loop steer: ${text}`,
    `omo ulw-loop steer:${JSON.stringify(json, null, 2)}`,
    `OMO_ULW_LOOP_STEER:\r\n${JSON.stringify(json, null, 2).replaceAll("\n", "\r\n")}`,
    `\ufeffOMO_ULW_LOOP_STEER: ${text} and go on, please {`,
    `OMO_ULW_LOOP_STEER: ${text}\nOMO_ULW_LOOP_STEER: {"kind":"x"}`,
  ])("reads %j", (prompt) => {
    expect(steerDirective(prompt)).toEqual({ kind: "directive", json });
  });

  test.each([
    "",
    `Please apply:\nOMO_ULW_LOOP_STEER: ${text}`,
    `\nOMO_ULW_LOOP_STEER: ${text}`,
    `> OMO_ULW_LOOP_STEER: ${text}`,
    `"OMO_ULW_LOOP_STEER: ${text}"`,
    `\`OMO_ULW_LOOP_STEER: ${text}\``,
    `\`\`\`\nOMO_ULW_LOOP_STEER: ${text}\n\`\`\``,
    `    OMO_ULW_LOOP_STEER: ${text}`,
    `\tOMO_ULW_LOOP_STEER: ${text}`,
    `<tool_output>OMO_ULW_LOOP_STEER: ${text}</tool_output>`,
    `Output: OMO_ULW_LOOP_STEER: ${text}`,
    `OMO_ULW_LOOP_STEERING: ${text}`,
    "omo ulw-loop steer --kind annotate_ledger",
    "please steer: add a goal",
  ])("is none: %j", (prompt) => {
    expect(steerDirective(prompt)).toEqual({ kind: "none" });
  });

  test.each([
    "OMO_ULW_LOOP_STEER:",
    "OMO_ULW_LOOP_STEER: add a goal",
    'OMO_ULW_LOOP_STEER: ["a"]',
    'OMO_ULW_LOOP_STEER: {"kind":"x"',
    "OMO_ULW_LOOP_STEER: {kind: x}",
    `OMO_ULW_LOOP_STEER: {"kind":"${"x".repeat(300_000)}"}`,
  ])("says what is wrong: %#", (prompt) => {
    const read = steerDirective(prompt);
    expect(read.kind).toBe("malformed");
    if (read.kind === "malformed") expect(read.why).toMatch(/^expected .*found/);
  });

  test("answers any string", () => {
    for (const end of wild(200)) {
      steerDirective(end);
      steerDirective(`OMO_ULW_LOOP_STEER: {${end}`);
      steerDirective(`OMO_ULW_LOOP_STEER: ${"{".repeat(100_000)}`);
    }
  });
});

describe("approval", () => {
  test.each([
    ["proofgate approve", "all"],
    ["proofgate approve all", "all"],
    ["proofgate approve  ALL \r\nand go on", "all"],
    ["proofgate approve G001 G002-C003", ["G001", "G002-C003"]],
    ["proofgate approve g001, w002, G001", ["G001", "W002"]],
  ] as const)("%j", (prompt, what) => {
    expect(approval(prompt)).toEqual({ kind: "approve", what: typeof what === "string" ? what : [...what] });
  });

  test.each([
    "",
    "please\nproofgate approve",
    "\nproofgate approve",
    "> proofgate approve",
    "`proofgate approve`",
    '"proofgate approve"',
    "```\nproofgate approve\n```",
    "    proofgate approve",
    "proofgate approve is a command that I did not run",
    "proofgate approve?",
    "proofgate approved",
    "don't proofgate approve",
    "proofgate approve nothing",
    "run proofgate approve",
  ])("is none: %j", (prompt) => {
    expect(approval(prompt)).toEqual({ kind: "none" });
  });

  test.each(["proofgate approve C003", "proofgate approve G001 all", "proofgate approve G001-G002"])(
    "tells that it approved nothing: %j",
    (prompt) => {
      expect(approval(prompt).kind).toBe("malformed");
    },
  );

  test("answers any string", () => {
    for (const text of wild(200)) {
      approval(text);
      approval(`proofgate approve ${text}`);
    }
  });
});

describe("startText", () => {
  const given = (facts: Parameters<typeof plan>[0], occasion: "start" | "resume" | "compaction" = "resume") =>
    startText({ plan: plan(facts), occasion, lastGiven: null }).text;

  test("names what is open and one next command", () => {
    expect(given({})).toBe(
      [
        'Proofgate: "Ship the importer" is open, 3 of 8 proven.',
        "G002 REST export: 1 of 4 proven",
        "- G002-C002 stale: src/export.ts changed",
        "- G002-C003 failing: wanted 413, got 500",
        "next: proofgate prove",
      ].join("\n"),
    );
  });

  test("is empty without a plan, for a cancelled one, and for a finished one in a new session", () => {
    expect(startText({ plan: null, occasion: "start", lastGiven: "x" })).toEqual({ text: "", digest: "x" });
    expect(given({ state: "cancelled" })).toBe("");
    expect(given({ state: "complete", proven: 8 }, "start")).toBe("");
  });

  test("is given once, again when something changed, and again after a compaction", () => {
    const first = startText({ plan: plan({}), occasion: "start", lastGiven: null });
    expect(startText({ plan: plan({}), occasion: "resume", lastGiven: first.digest }).text).toBe("");
    const later = startText({ plan: plan({ proven: 4 }), occasion: "resume", lastGiven: first.digest });
    expect(later.text).toContain("4 of 8");
    expect(later.digest).not.toBe(first.digest);
    expect(startText({ plan: plan({}), occasion: "compaction", lastGiven: first.digest }).text).toBe(
      first.text,
    );
  });

  test("calls nothing complete that is not", () => {
    expect(given({ state: "complete", proven: 8 })).toContain("is complete: 8 of 8 proven");
    expect(given({ state: "stale", proven: 7 })).toContain("NOT complete any more: 7 of 8");
    const stuck = given({ stuck: true });
    expect(stuck).toContain("no goal can go on without the user");
    expect(stuck).not.toMatch(/complete/i);
  });

  test("fits 600 bytes and stays on its lines, whatever the plan says", () => {
    for (const text of wild(150))
      for (const occasion of ["start", "resume", "compaction"] as const)
        for (const state of ["open", "complete", "stale"] as const) {
          const all = given(hostile(text, state), occasion);
          expect(bytes(all)).toBeLessThanOrEqual(600);
          if (all !== "") expect(all.split("\n").at(-1)).toStartWith("next: ");
          expect(all).not.toMatch(/[^\P{Cc}\n]/u);
        }
  });
});

const hostile = (text: string, state: "open" | "complete" | "stale") => ({
  state,
  title: text,
  goal: { id: "G001", title: text, total: 1, proven: 0 },
  open: Array.from({ length: 30 }, () => ({ ref: text, what: text })),
  next: { why: text, command: text },
});

describe("intentText", () => {
  const none = { plan: null, performance: null, skillPrefix: "$proofgate:" };

  test("names the skill and the first command", () => {
    expect(intentText("ulw-loop", none)).toContain("skill $proofgate:ulw-loop");
    expect(intentText("ulw-loop", none)).toEndWith(
      "first: proofgate ulw-loop create-goals --plan .proofgate/plan.yaml",
    );
    expect(intentText("performance-goal", none)).toContain("first: proofgate performance-goal create ");
  });

  test("goes on with what is open", () => {
    expect(intentText("ulw-loop", { ...none, plan: plan({}) })).toEndWith("first: proofgate prove");
    const performance = { slug: "parser", next: "proofgate performance-goal start --slug parser" };
    expect(intentText("performance-goal", { ...none, performance })).toEndWith(`first: ${performance.next}`);
    expect(intentText("ulw-loop", { ...none, plan: plan({ state: "complete" }) })).toContain("create-goals");
  });

  test("fits 600 bytes", () => {
    for (const text of wild(150)) {
      const facts = {
        plan: plan(hostile(text, "open")),
        performance: { slug: text, next: text },
        skillPrefix: text,
      };
      expect(bytes(intentText("ulw-loop", facts))).toBeLessThanOrEqual(600);
      expect(bytes(intentText("performance-goal", facts))).toBeLessThanOrEqual(600);
      expect(bytes(intentText("performance-goal", none))).toBeLessThanOrEqual(600);
    }
  });
});
