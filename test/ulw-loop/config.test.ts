/** `.proofgate.yaml`: reading it, and that a policy can only be raised. */

import { describe, expect, test } from "bun:test";
import { type Problem, Refusal } from "../../components/errors.ts";
import {
  DEFAULT_CONFIG,
  DEFAULT_POLICY,
  type Policy,
  parseConfig,
  policyOf,
  raisePolicy,
} from "../../components/ulw-loop/config.ts";

async function problemsOf(text: string): Promise<readonly Problem[]> {
  try {
    await parseConfig(text);
  } catch (error) {
    if (error instanceof Refusal) {
      expect(error.code).toBe("plan_invalid");
      return error.problems;
    }
    throw error;
  }
  throw Error("was accepted");
}

describe("the configuration", () => {
  test.each(["", "# nothing yet\n", "{}", "gates:\ncaps:\nbudget:\nnotify:\n"])(
    "that says nothing is the default: %j",
    async (text) => {
      expect(await parseConfig(text)).toEqual(DEFAULT_CONFIG);
    },
  );

  test("is bounded by default", () => {
    expect(DEFAULT_CONFIG.budget.turns).not.toBeNull();
    expect(DEFAULT_CONFIG.caps).toEqual({ cycles: 5, failures: 3 });
    expect(DEFAULT_CONFIG.minimum).toBe("attested");
  });

  test("takes every key", async () => {
    const config = await parseConfig(
      "track: true\ngates: [npm test, [node, --test]]\nreview: independent\nminimum: reproduced\ncaps: { cycles: 2, failures: 1 }\nnotify: notify-send done\nbudget: { turns: 10, tokens: 1000000, minutes: 30 }\n",
    );
    expect(config).toEqual({
      track: true,
      gates: ["npm test", ["node", "--test"]],
      review: "independent",
      minimum: "reproduced",
      caps: { cycles: 2, failures: 1 },
      notify: "notify-send done",
      budget: { turns: 10, tokens: 1e6, minutes: 30 },
    });
  });

  test("names an unknown key, the one that was meant, and the line", async () => {
    const [problem] = await problemsOf("track: true\nminimun: captured\n");
    expect(problem?.where).toBe("minimun");
    expect(problem?.message).toBe('unknown key "minimun"; did you mean "minimum"? (line 2)');
  });

  test.each([
    ["track: yes", "track"],
    ["review: none", "review"],
    ["minimum: claimed", "minimum"],
    ["caps: { cycles: 6 }", "caps.cycles"],
    ["caps: { cycles: 0 }", "caps.cycles"],
    ["caps: { failures: 4 }", "caps.failures"],
    ["caps: { failures: 1.5 }", "caps.failures"],
    ["caps: 3", "caps"],
    ["caps: { cycle: 3 }", "caps.cycle"],
    ["budget: { turns: -1 }", "budget.turns"],
    ["budget: { turns: .inf }", "budget.turns"],
    ["gates: npm test", "gates"],
    ["gates: [[]]", "gates[0]"],
    ["gates: ['']", "gates[0]"],
    ["gates: [npm test, {run: x}]", "gates[1]"],
    ["notify: 3", "notify"],
    ["toString: 1", "toString"],
    ["- track", ""],
    ["just text", ""],
    ["track: true\ntrack: false", ""],
    ["track: [", ""],
  ])("refuses %j at %j", async (text, where) => {
    expect((await problemsOf(text)).map((problem) => problem.where)).toContain(where);
  });

  test("refuses a gate that cannot fail", async () => {
    const [problem] = await problemsOf('gates: ["true"]');
    expect(problem?.code).toBe("check_vacuous");
    expect(problem?.where).toBe("gates[0]");
  });

  test("says everything that is wrong at once", async () => {
    expect(await problemsOf("track: maybe\nreview: none\ncolour: red\n")).toHaveLength(3);
  });
});

describe("raising a policy", () => {
  const strict: Policy = {
    review: "independent",
    minimum: "captured",
    caps: { cycles: 2, failures: 2 },
    gates: ["npm test", ["node", "--test"]],
  };

  test("to the same changes nothing and lowers nothing", () => {
    expect(raisePolicy(strict, structuredClone(strict))).toEqual({ effective: strict, lowered: [] });
  });

  test("takes over what the file raises", () => {
    expect(raisePolicy(DEFAULT_POLICY, strict)).toEqual({ effective: strict, lowered: [] });
  });

  test("keeps what the file would lower, and names each", () => {
    const { effective, lowered } = raisePolicy(strict, DEFAULT_POLICY);
    expect(effective).toEqual(strict);
    expect(lowered).toHaveLength(6);
    for (const name of ["review", "minimum", "caps.cycles", "caps.failures", "npm test", "node --test"])
      expect(lowered.join("\n")).toContain(name);
  });

  test("adds gates of the file to those of the ledger, each once", () => {
    expect(
      raisePolicy({ ...DEFAULT_POLICY, gates: ["a"] }, { ...DEFAULT_POLICY, gates: ["b", "a"] }).effective
        .gates,
    ).toEqual(["a", "b"]);
  });

  test("never ends below either side, for every combination", () => {
    const policies: Policy[] = [];
    for (const review of ["self", "independent"] as const)
      for (const minimum of ["attested", "captured", "reproduced"] as const)
        for (const cycles of [1, 5])
          policies.push({ review, minimum, caps: { cycles, failures: 3 }, gates: [] });
    for (const ledger of policies)
      for (const file of policies) {
        const { effective, lowered } = raisePolicy(ledger, file);
        expect(raisePolicy(effective, ledger).effective).toEqual(effective);
        expect(raisePolicy(effective, file).effective).toEqual(effective);
        expect(lowered.length === 0).toBe(JSON.stringify(effective) === JSON.stringify(file));
      }
  });

  test("the part that the ledger copies has nothing else in it", () => {
    expect(Object.keys(policyOf(DEFAULT_CONFIG)).sort()).toEqual(["caps", "gates", "minimum", "review"]);
  });
});
