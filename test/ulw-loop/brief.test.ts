/** Reading a brief: what becomes a goal, a constraint or context, and that nothing of it is lost. */

import { describe, expect, test } from "bun:test";
import { Refusal } from "../../components/errors.ts";
import { parseBrief } from "../../components/ulw-loop/brief.ts";
import { CRITERION_CLASSES, type PlanDraft } from "../../components/ulw-loop/draft.ts";
import { vagueReason } from "../../components/ulw-loop/vague.ts";

const titles = (markdown: string) => parseBrief(markdown).goals.map((goal) => goal.title);
const constraints = (markdown: string) => parseBrief(markdown).constraints;

const refusal = (source: Uint8Array | string): string => {
  try {
    parseBrief(source);
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "accepted";
};

describe("a paragraph", () => {
  test("is one goal, however many sentences it has", () => {
    expect(titles("Fix the importer. It must stay fast. Never drop a row.")).toEqual([
      "Fix the importer. It must stay fast. Never drop a row.",
    ]);
    expect(constraints("Fix the importer. It must stay fast.")).toEqual([]);
  });

  test("is one goal across line wraps", () => {
    expect(titles("Fix the importer\nso that it reads\nquoted fields.")).toEqual([
      "Fix the importer so that it reads quoted fields.",
    ]);
  });

  test("keeps its whole text in the objective when the title has to be cut", () => {
    const long = `Import ${"very ".repeat(40)}long files`;
    const [goal] = parseBrief(long).goals;
    expect(goal?.objective).toBe(long);
    expect(Array.from(goal?.title ?? "").length).toBeLessThanOrEqual(80);
    expect(goal?.title).toEndWith("very\u2026");
  });

  test("takes its first sentence as title when the whole is too long", () => {
    expect(titles(`Import v1.2 of the format, e.g. from S3. ${"It has many fields. ".repeat(6)}`)).toEqual([
      "Import v1.2 of the format, e.g. from S3",
    ]);
  });

  test("that only forbids is a constraint beside a goal", () => {
    const plan = parseBrief(
      "Import CSV files.\n\nThe log must never contain a token.\n\nDon't add dependencies. They slow the build.",
    );
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Import CSV files."]);
    expect(plan.constraints).toEqual([
      "The log must never contain a token.",
      "Don't add dependencies. They slow the build.",
    ]);
  });

  test("that forbids and then asks for work is a goal", () => {
    expect(titles("Don't guess the delimiter. Add a flag for it.")).toEqual([
      "Don't guess the delimiter. Add a flag for it.",
    ]);
  });

  test.each([
    "Add a cache that never grows over 10 MB.",
    "Users cannot log in.",
    "Emails never arrive.",
    "No-op mode for the importer",
    "Always-on display",
    "Must-have: CSV export",
    "Make sure-fire imports",
    "Build a keep-alive probe without polling",
    "Remove all dead code; do not touch tests",
  ])("is work even though it has a word of rules: %s", (line) => {
    const plan = parseBrief(`Import CSV.\n\n${line}`);
    expect(plan.goals).toHaveLength(2);
    expect(plan.constraints).toEqual([]);
  });
});

describe("a brief that consists of rules only", () => {
  test("is still one goal", () => {
    const plan = parseBrief("Never print secrets in the log; mask them");
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Never print secrets in the log; mask them"]);
  });

  test("with several rules is one goal that holds all of them", () => {
    const plan = parseBrief("- Never print secrets\n- Always mask tokens\n");
    expect(plan.goals).toHaveLength(1);
    expect(plan.goals[0]?.objective).toContain("Never print secrets");
    expect(plan.goals[0]?.objective).toContain("Always mask tokens");
  });

  test("takes its title as the goal when it has one", () => {
    const plan = parseBrief("# Secret hygiene\n\n- Never print secrets\n- Always mask tokens");
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Secret hygiene"]);
    expect(plan.constraints).toEqual(["Never print secrets", "Always mask tokens"]);
  });
});

describe("a list", () => {
  test("is one goal an item; nested items stay in the objective of their parent", () => {
    const plan = parseBrief(
      "- Import CSV\n  - with quotes\n    - nested twice\n- Export JSON\n\n  in a second paragraph",
    );
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Import CSV", "Export JSON"]);
    expect(plan.goals[0]?.objective).toContain("nested twice");
    expect(plan.goals[1]?.objective).toContain("second paragraph");
  });

  test("with real goals makes the paragraph before it the deliverable", () => {
    const plan = parseBrief(
      "Build the data tools:\n\n- Import CSV\n- Export JSON\n- Do not touch the database",
    );
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Import CSV", "Export JSON"]);
    expect(plan.deliverable).toBe("Build the data tools:");
    expect(plan.constraints).toEqual(["Do not touch the database"]);
    expect(plan.title).toBe("Build the data tools");
  });

  test("of rules only leaves the paragraph before it as the goal", () => {
    const plan = parseBrief(
      "Build a CSV importer.\n\n- Must handle quotes\n- Never drop a row\n- Keep the API as it is",
    );
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Build a CSV importer."]);
    expect(plan.constraints).toEqual(["Must handle quotes", "Never drop a row", "Keep the API as it is"]);
  });

  test("after words that forbid keeps them in front of each item", () => {
    const plan = parseBrief("Fix the login.\n\nDo not:\n- touch the database\n- rename files");
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Fix the login."]);
    expect(plan.constraints).toEqual(["Do not: touch the database", "Do not: rename files"]);
  });

  test("after words that demand is still a list of goals", () => {
    expect(titles("You must do the following:\n1. Add import\n2. Add export")).toEqual([
      "Add import",
      "Add export",
    ]);
  });

  test("under a bold line that names it is what the line says", () => {
    const plan = parseBrief("**Constraints:**\n\n- small\n\n**Tasks:**\n\n1) Do A\n2) Keep B alive");
    expect(plan.constraints).toEqual(["small"]);
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Do A", "Keep B alive"]);
  });

  test("of boxes has goals, also where a box is ticked, which is noted", () => {
    const plan = parseBrief("- [ ] Keep the README short\n- [x] Import CSV\n- [ ] Never log tokens");
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Keep the README short", "Import CSV"]);
    expect(plan.goals[1]?.objective).toContain("Ticked in the brief");
    expect(plan.constraints).toEqual(["Never log tokens"]);
  });

  test("keeps code, quotes, tables and HTML with the item before them", () => {
    const plan = parseBrief(
      "- Import CSV\n- Export JSON\n\n```sh\nrun me\n```\n\n> quoted\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<details>more</details>",
    );
    expect(plan.goals).toHaveLength(2);
    for (const part of ["run me", "quoted", "| 1 | 2 |", "<details>"])
      expect(plan.goals[1]?.objective).toContain(part);
  });

  test("knows German, French, Spanish and Chinese rules", () => {
    const plan = parseBrief(
      "Importiere CSV.\n\n- Niemals Zeilen verlieren\n- Das Log darf keine Tokens enthalten\n- Ne jamais perdre une ligne\n- Nunca pierdas filas\n- 不得丢失行",
    );
    expect(plan.goals).toHaveLength(1);
    expect(plan.constraints).toHaveLength(5);
  });
});

describe("a heading", () => {
  test("of the first level is the title", () => {
    const plan = parseBrief("# Ship the **importer**\n\nImport CSV.");
    expect(plan.title).toBe("Ship the importer");
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Import CSV."]);
  });

  test("that is the whole brief is the goal", () => {
    expect(titles("# Ship the importer")).toEqual(["Ship the importer"]);
  });

  test.each([
    "Constraints",
    "Rules",
    "Must not",
    "Non-goals",
    "Out of scope",
    "Guidelines",
    "Acceptance criteria",
    "2. Hard constraints",
    "Rules & guidelines",
    "Requirements",
    "Definition of Done:",
  ])("makes what is below it constraints: %s", (heading) => {
    const plan = parseBrief(`# T\n\nImport CSV.\n\n## ${heading}\n- small files\n- quick\n\nA paragraph.`);
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Import CSV."]);
    expect(plan.constraints).toHaveLength(3);
    expect(plan.constraints[0]).toContain("small files");
  });

  test("that forbids stays in front of what it forbids", () => {
    expect(constraints("Import CSV.\n\n## Must not\n- touch the database")).toEqual([
      "Must not: touch the database",
    ]);
    expect(constraints("Import CSV.\n\n## Out of scope\n- XML")).toEqual(["Out of scope: XML"]);
  });

  test.each(["Background", "Context", "Notes", "Why", "📝 Notes"])(
    "makes what is below it context, and no goal: %s",
    (heading) => {
      const plan = parseBrief(`# T\n\nImport CSV.\n\n## ${heading}\nIt is slow.\n\n### Details\n- since May`);
      expect(plan.goals).toHaveLength(1);
      expect(plan.constraints).toEqual([]);
      expect(plan.deliverable).toContain("It is slow.");
      expect(plan.deliverable).toContain("since May");
    },
  );

  test.each([
    "Goals",
    "Tasks",
    "Deliverables",
    "User stories",
    "Steps",
    "TODO",
    "To-dos",
    "Milestones",
    "Plan",
    "Aufgaben",
  ])("makes its items goals: %s", (heading) => {
    const plan = parseBrief(
      `# T\n\nThe data tools.\n\n## ${heading}\n- Import CSV\n- Keep exports working\n- never log tokens`,
    );
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Import CSV", "Keep exports working"]);
    expect(plan.deliverable).toBe("The data tools.");
    expect(plan.constraints).toEqual(["never log tokens"]);
  });

  test("of its own is one goal with its body, lists and code included", () => {
    const plan = parseBrief(
      "# T\n\nIntro.\n\n## CSV import\nRead it.\n\n- quotes\n- must be fast\n\n```js\ncode()\n```\n\n#### Detail\nfine print\n\n## JSON export\nWrite it.",
    );
    expect(plan.goals.map((goal) => goal.title)).toEqual(["CSV import", "JSON export"]);
    for (const part of ["quotes", "must be fast", "code()", "Detail", "fine print"])
      expect(plan.goals[0]?.objective).toContain(part);
    expect(plan.deliverable).toBe("Intro.");
  });

  test("with nothing but headings below it is no goal", () => {
    expect(titles("## Import\n\n### CSV\nRead CSV.\n\n### XML\nRead XML.")).toEqual(["CSV", "XML"]);
  });

  test("under Goals is a goal", () => {
    expect(titles("## Goals\n\n### CSV\nRead CSV.\n\n### XML\nRead XML.")).toEqual(["CSV", "XML"]);
  });

  test("with a Requirements list and no other text has goals where the items ask for work", () => {
    const plan = parseBrief("## Requirements\n- Import CSV\n- Export JSON\n- Must be fast");
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Import CSV", "Export JSON"]);
    expect(plan.constraints).toEqual(["Must be fast"]);
  });
});

describe("titles", () => {
  test("are distinct", () => {
    expect(titles("- Fix it\n- Fix it\n- Fix it (2)\n- Fix it")).toEqual([
      "Fix it",
      "Fix it (2)",
      "Fix it (2) (2)",
      "Fix it (3)",
    ]);
  });

  test("stay within 80 characters when they are made distinct", () => {
    const long = `Import ${"word ".repeat(30)}`;
    const found = titles(`- ${long}\n- ${long}`);
    expect(new Set(found).size).toBe(2);
    for (const title of found) expect(Array.from(title).length).toBeLessThanOrEqual(80);
  });

  test("are plain: no Markdown, no HTML, no entities, no control characters", () => {
    expect(titles("- **Import** [CSV](http://x.test/a) `files` <b>now</b> &amp; *later*")).toEqual([
      "Import CSV files now & later",
    ]);
    expect(titles("- Import\u001b[31m red\u0007 \u202ECSV")).toEqual(["Import red CSV"]);
  });

  test("of other scripts and signs are kept whole", () => {
    expect(titles("- 导入CSV文件\n- استيراد الملفات\n- 👩\u200D👩\u200D👧 family import\n- Импорт")).toEqual([
      "导入CSV文件",
      "استيراد الملفات",
      "👩\u200D👩\u200D👧 family import",
      "Импорт",
    ]);
  });

  test("never end in half a sign", () => {
    const [title] = titles("\uD835\uDCB3".repeat(200));
    expect(title).toBe(`${"\uD835\uDCB3".repeat(79)}\u2026`);
  });
});

describe("what is not a brief is refused", () => {
  test.each(["", "   \n\t\n", "---\n\n***", "\uFEFF"])("empty: %j", (text) =>
    expect(refusal(text)).toBe("brief_empty"),
  );

  test("too large, by bytes and not by characters", () => {
    expect(refusal("\xE9".repeat(600000))).toBe("brief_too_large");
    expect(refusal("e".repeat(600000))).toBe("accepted");
  });

  test("NUL, bytes that are not UTF-8, and text that lost bytes before", () => {
    expect(refusal("a\x00b")).toBe("brief_not_text");
    expect(refusal(Buffer.from([102, 255, 254, 102]))).toBe("brief_not_text");
    expect(refusal("Fix \uFFFD it")).toBe("brief_not_text");
  });

  test("but a byte order mark and CRLF are fine", () => {
    const plan = parseBrief(Buffer.from("\uFEFF# T\r\n\r\n- Import CSV\r\n  now\r\n- Export\r\n"));
    expect(plan.title).toBe("T");
    expect(plan.goals.map((goal) => goal.title)).toEqual(["Import CSV now", "Export"]);
  });
});

test("front matter is context, no goal", () => {
  const plan = parseBrief("---\nowner: ann\n---\nImport CSV.");
  expect(plan.goals.map((goal) => goal.title)).toEqual(["Import CSV."]);
  expect(plan.deliverable).toContain("owner: ann");
});

test("an objective over 4,000 characters is cut and says where the rest is", () => {
  const [goal] = parseBrief(`## Import\n${"word ".repeat(2000)}`).goals;
  expect(goal?.objective.length).toBeLessThanOrEqual(4000);
  expect(goal?.objective).toEndWith("\u2026 (see brief.md)");
});

test("every goal gets the four drafts, which nothing can prove and no rule takes for concrete", () => {
  for (const goal of parseBrief("- Run `npm test`, exit 0\n- Import CSV").goals) {
    expect(goal.criteria.flatMap((criterion) => criterion.classes)).toEqual([...CRITERION_CLASSES]);
    for (const criterion of goal.criteria) {
      expect(criterion.check).toBeNull();
      expect(vagueReason(criterion.scenario)).not.toBeNull();
      expect(criterion.scenario).toContain(goal.title);
    }
  }
});

describe("nothing is lost", () => {
  const everything = (plan: PlanDraft): string =>
    [
      plan.title,
      plan.deliverable,
      ...plan.constraints,
      ...plan.goals.flatMap((goal) => [goal.title, goal.objective]),
    ].join("\n");

  function generator(seed: number): (below: number) => number {
    let state = seed * 2654435761 + 1;
    return (below) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 4294967296) * below);
    };
  }

  function randomBrief(seed: number): { text: string; words: string[] } {
    const pick = generator(seed);
    const words: string[] = [];
    const word = () => {
      const made = `w${seed}x${words.length}q`;
      words.push(made);
      return made;
    };
    const choose = (options: readonly string[]): string => options[pick(options.length)] ?? "";
    const opener = () =>
      choose([
        "Add",
        "Never",
        "Must",
        "Do not",
        "Keep",
        "The tool must not",
        "Fix",
        "导入",
        "Only",
        "No",
        "Nur",
        "",
      ]);
    const sentence = () =>
      `${opener()} ${word()} *${word()}* \`${word()}\` ${word()}${choose([".", "", ":", "!"])}`.trim();
    const item = (indent: string) => `${indent}${choose(["-", "*", "1.", "- [ ]", "- [x]"])} ${sentence()}`;
    const block = () =>
      [
        () => sentence(),
        () => `${sentence()}\n${sentence()}`,
        () => `${sentence()}\n\n${item("")}\n${item("")}`,
        () => `${item("")}\n${item("    ")}\n${item("")}`,
        () => `## ${choose(["Goals", "Constraints", "Notes", "Requirements", "Must not", "Tasks"])}`,
        () => `${choose(["#", "##", "###", "####"])} ${word()} ${word()}`,
        () =>
          `${choose(["Constraints", "Goals", "Do not", "Context", "Must"])}:\n- ${sentence()}\n- ${sentence()}`,
        () => `\`\`\`\n${word()}\n\`\`\``,
        () => `> ${sentence()}`,
        () => `| ${word()} | ${word()} |\n|---|---|\n| ${word()} | ${word()} |`,
        () => `<div>${word()}</div>`,
        () => "---",
        () => `${word()}\n====`,
      ][pick(13)]?.() ?? "";
    return { text: Array.from({ length: 1 + pick(9) }, block).join("\n\n"), words };
  }

  test("in 1,500 generated briefs, each of which has a goal, distinct titles and bounded texts", () => {
    for (let seed = 1; seed <= 1500; seed++) {
      const { text, words } = randomBrief(seed);
      if (words.length === 0) continue;
      const plan = parseBrief(text);
      const found = everything(plan);
      const lost = words.filter((word) => !found.includes(word));
      expect({ seed, text: lost.length > 0 ? text : "", lost }).toEqual({ seed, text: "", lost: [] });
      expect(plan.goals.length).toBeGreaterThan(0);
      const shown = plan.goals.map((goal) => goal.title);
      expect(new Set(shown).size).toBe(shown.length);
      for (const goal of plan.goals) {
        expect(goal.title).not.toBe("");
        expect(goal.title).not.toMatch(/\p{Cc}/u);
        expect(Array.from(goal.title).length).toBeLessThanOrEqual(80);
        expect({ text, objective: goal.objective.trim() }).not.toEqual({ text, objective: "" });
        expect(goal.objective.length).toBeLessThanOrEqual(4000);
      }
      expect(plan.title).not.toBe("");
      expect(Array.from(plan.title).length).toBeLessThanOrEqual(80);
    }
  });
});

test.each([
  ["nested quotes", `${">".repeat(20000)} Import CSV`],
  ["emphasis without an end", `Import ${"*a ".repeat(1e5)}`],
  ["open brackets", `Import ${"[".repeat(300000)}`],
  ["one long list", "- Import CSV\n".repeat(20000)],
  [
    "deep nesting",
    Array.from({ length: 300 }, (_, depth) => `${"  ".repeat(depth)}- level ${depth}`).join("\n"),
  ],
  ["rules without an end", `Never ${"a must ".repeat(80000)}`],
])("a hostile brief is read in bounded time: %s", (_name, text) => {
  const began = performance.now();
  expect(parseBrief(text).goals.length).toBeGreaterThan(0);
  expect(performance.now() - began).toBeLessThan(4000);
});
