/** An agent that stops with proof open is held back while something moves, and never longer. */

import { describe, expect, test } from "bun:test";
import { DEFAULT_CONFIG } from "../../components/ulw-loop/config.ts";
import {
  DEFAULT_BUDGET,
  onStop,
  parseStopMemory,
  type StopDecision,
  type StopFacts,
  type StopMemory,
} from "../../hooks/continuation.ts";
import { bytes } from "../../hooks/text.ts";
import type { PlanFacts } from "../../hooks/types.ts";
import { plan, wild } from "./facts.ts";

const base: StopFacts = {
  thread: "t",
  plan: plan({}),
  memory: null,
  now: 1_000_000,
  promptedAt: 1_000_000,
  tokens: null,
  budget: { turns: null, tokens: null, minutes: null },
  hostContinues: false,
  hostGoal: "active",
  ended: "finished",
  openQuestion: false,
  subagent: false,
};

/** A thread that stops again and again; its memory goes through JSON, as on disk. */
class Thread {
  memory: StopMemory | null = null;
  private edits = 0;
  constructor(private readonly facts: Partial<StopFacts> = {}) {}

  stop(changes: Partial<PlanFacts> = {}, facts: Partial<StopFacts> = {}): StopDecision {
    const decision = onStop({
      ...base,
      ...this.facts,
      plan: plan(changes),
      ...facts,
      memory: parseStopMemory(JSON.parse(JSON.stringify(this.memory))),
    });
    expect(parseStopMemory(JSON.parse(JSON.stringify(decision.next)))).toEqual(decision.next);
    this.memory = decision.next;
    return decision;
  }
  /** A stop after an edit. */
  moved(changes: Partial<PlanFacts> = {}, facts: Partial<StopFacts> = {}): StopDecision {
    return this.stop({ tree: `edit ${++this.edits}`, ...changes }, facts);
  }
}

const kinds = (count: number, stop: () => StopDecision): readonly string[] =>
  Array.from({ length: count }, () => stop().kind);

describe("a stop with proof open", () => {
  test("is held back with what is missing and one command", () => {
    const decision = onStop(base);
    if (decision.kind !== "hold") throw new Error(decision.kind);
    expect(decision.reason).toBe(
      [
        "Not complete: 3 of 8 proven.",
        "- G002-C002 stale: src/export.ts changed",
        "- G002-C003 failing: wanted 413, got 500",
        "Go on. Next: proofgate prove",
        "Cannot be done? update_goal blocked, and say why.",
      ].join("\n"),
    );
  });

  test("is let go after two stops that changed nothing, and told once", () => {
    const thread = new Thread();
    expect(kinds(5, () => thread.stop())).toEqual(["hold", "hold", "let_go", "quiet", "quiet"]);
  });

  test("says the same to agent and user when it lets go", () => {
    const thread = new Thread();
    thread.stop();
    thread.stop();
    const decision = thread.stop();
    if (decision.kind !== "let_go") throw new Error(decision.kind);
    expect(decision.tellUser).toBe(
      "NOT complete: 3 of 8 proven · 2 stops changed nothing · next: proofgate prove",
    );
    expect(decision.tellAgent).toContain('update_goal {"status":"paused"}');
    expect(decision.tellAgent).toContain("Not complete: 3 of 8 proven");
  });

  test("goes on once something changes: the tree, or the ledger", () => {
    for (const change of [{ tree: "t2" }, { ledger: "l2" }]) {
      const thread = new Thread();
      kinds(4, () => thread.stop());
      expect(thread.stop(change).kind).toBe("hold");
      expect(kinds(3, () => thread.stop(change))).toEqual(["hold", "let_go", "quiet"]);
    }
  });

  test("is not woken by a new prompt alone, so that a question after it may be answered", () => {
    const thread = new Thread();
    kinds(3, () => thread.stop());
    expect(thread.stop({}, { promptedAt: 2_000_000 }).kind).toBe("quiet");
    expect(thread.moved({}, { promptedAt: 2_000_000 }).kind).toBe("hold");
  });

  test("is let go after eight without a new proof, however much is edited", () => {
    const thread = new Thread();
    const all = kinds(14, () => thread.moved());
    expect(all).toEqual([...Array(8).fill("hold"), "let_go", ...Array(5).fill("quiet")]);
  });

  test("takes junk lines in the ledger for no progress either", () => {
    const thread = new Thread();
    let line = 0;
    expect(kinds(10, () => thread.stop({ ledger: `l${++line}` })).indexOf("let_go")).toBe(8);
  });

  test("takes a pass lost and won again for no progress", () => {
    const thread = new Thread();
    let turn = 0;
    const all = kinds(12, () => thread.moved({ proven: ++turn % 2 === 0 ? 2 : 3 }));
    expect(all.indexOf("let_go")).toBe(8);
  });

  test("goes on as long as proofs come", () => {
    const thread = new Thread();
    let turn = 0;
    const all = kinds(40, () => thread.moved({ proven: Math.floor(++turn / 7), total: 100 }));
    expect(new Set(all)).toEqual(new Set(["hold"]));
  });

  test("counts from the new total when the plan shrank", () => {
    const thread = new Thread();
    thread.moved({ proven: 6, total: 10 });
    kinds(5, () => thread.moved({ proven: 2, total: 4 }));
    thread.moved({ proven: 3, total: 4 });
    expect(thread.memory?.unproven).toBe(0);
  });

  test("after a release for want of proof, wakes at a proof or the user's word, not at an edit", () => {
    const proof = new Thread();
    kinds(9, () => proof.moved());
    expect(proof.moved().kind).toBe("quiet");
    expect(proof.moved({ proven: 4 }).kind).toBe("hold");
    const word = new Thread();
    kinds(9, () => word.moved());
    expect(word.moved({}, { promptedAt: 5_000_000 }).kind).toBe("hold");
  });

  test("does not end for want of movement where the tree could not be looked at", () => {
    const thread = new Thread();
    expect(kinds(9, () => thread.stop({ tree: null })).indexOf("let_go")).toBe(8);
    expect(thread.stop({ tree: null }).kind).toBe("quiet");
  });
});

describe("the budget", () => {
  const spend = (
    budget: StopFacts["budget"],
    each: (turn: number) => Partial<StopFacts>,
  ): { readonly at: number; readonly words: string } => {
    const thread = new Thread({ budget });
    for (let turn = 0; turn < 1000; turn++) {
      const decision = thread.moved({ proven: turn, total: 2000 }, each(turn));
      if (decision.kind === "let_go") return { at: turn, words: decision.tellUser };
    }
    return { at: -1, words: "" };
  };
  const none = { turns: null, tokens: null, minutes: null };

  test("ends it by turns, tokens or time", () => {
    expect(spend({ ...none, turns: 20 }, () => ({}))).toMatchObject({ at: 20 });
    const tokens = spend({ ...none, tokens: 5000 }, (turn) => ({ tokens: turn * 1000 }));
    expect(tokens.at).toBe(5);
    expect(tokens.words).toContain("the budget of 5000 tokens is spent");
    expect(spend({ ...none, minutes: 30 }, (turn) => ({ now: 1_000_000 + turn * 60_000 })).at).toBe(30);
    expect(spend(none, () => ({})).at).toBe(-1);
  });

  test("is bounded by default, also where the configuration cannot be read", () => {
    expect(DEFAULT_BUDGET).toEqual(DEFAULT_CONFIG.budget);
    expect(spend(null, () => ({})).at).toBe(200);
    expect(spend(null, (turn) => ({ now: 1_000_000 + turn * 3_600_000 })).at).toBe(12);
  });

  test("begins anew with the user's word, and with nothing else", () => {
    const thread = new Thread({ budget: { ...none, turns: 2 } });
    let proven = 0;
    const stop = (facts = {}) => thread.moved({ proven: ++proven, total: 50 }, facts).kind;
    expect([stop(), stop(), stop(), stop(), stop()]).toEqual(["hold", "hold", "let_go", "quiet", "quiet"]);
    const spoken = { promptedAt: 9_000_000 };
    expect([stop(spoken), stop(spoken), stop(spoken)]).toEqual(["hold", "hold", "let_go"]);
  });

  test("is not lengthened by a clock that goes back", () => {
    expect(onStop({ ...base, now: 0 }).kind).toBe("hold");
  });
});

describe("no stop is held", () => {
  test.each<[string, Partial<StopFacts>]>([
    ["without a plan of this session", { plan: null }],
    ["where the host continues by itself", { hostContinues: true }],
    ["after an abort", { ended: "aborted" }],
    ["after a quota error", { ended: "quota" }],
    ["after another error", { ended: "error" }],
    ["at an open question", { openQuestion: true }],
    ["in a subagent", { subagent: true }],
    ["when the plan was cancelled", { plan: plan({ state: "cancelled" }) }],
    ["when the plan is complete", { plan: plan({ state: "complete", proven: 8 }) }],
    ["when a delivered plan went stale", { plan: plan({ state: "stale", proven: 7 }) }],
    ["when no goal can go on", { plan: plan({ stuck: true }) }],
    ["when the host goal is paused", { hostGoal: "paused" }],
    ["when the host goal is blocked", { hostGoal: "blocked" }],
    ["when the host goal met its usage limit", { hostGoal: "usageLimited" }],
    ["when the host goal met its token limit", { hostGoal: "budgetLimited" }],
  ])("%s", (_, facts) => {
    expect(onStop({ ...base, ...facts })).toEqual({ kind: "quiet", next: null });
    const thread = new Thread();
    thread.stop();
    const before = thread.memory;
    thread.stop({}, { plan: base.plan, ...facts });
    expect(thread.memory).toEqual(before);
  });

  test("when only the user's approval is left: it is let go at once, and the user is told", () => {
    const thread = new Thread();
    const waits = { waitsForUser: true, next: { why: "pins", command: "proofgate approve" } };
    const decision = thread.stop(waits);
    if (decision.kind !== "let_go") throw new Error(decision.kind);
    expect(decision.tellUser).toContain("it waits for your approval · next: proofgate approve");
    expect(thread.stop(waits).kind).toBe("quiet");
    expect(thread.stop({ ledger: "approved" }).kind).toBe("hold");
  });

  test("but one without a host goal, or with an earlier one that is complete, is", () => {
    expect(onStop({ ...base, hostGoal: null }).kind).toBe("hold");
    expect(onStop({ ...base, hostGoal: "complete" }).kind).toBe("hold");
  });
});

describe("memory", () => {
  test("of two threads in one repository is apart", () => {
    const one = new Thread({ thread: "one" });
    const two = new Thread({ thread: "two" });
    kinds(3, () => one.stop());
    expect(two.stop().kind).toBe("hold");
    expect(one.stop().kind).toBe("quiet");
    // Handed the wrong one, a thread begins anew.
    expect(onStop({ ...base, thread: "two", memory: one.memory }).kind).toBe("hold");
  });

  test("of another plan is forgotten", () => {
    const thread = new Thread();
    kinds(3, () => thread.stop());
    expect(thread.stop({ planId: "p2" }).kind).toBe("hold");
  });

  test("that was not written by a stop counts for nothing", () => {
    const good = onStop(base).next;
    expect(parseStopMemory(good)).toEqual(good);
    for (const wrong of [null, 1, "x", [], {}, { ...good, held: -1 }, { ...good, since: "now" }])
      expect(parseStopMemory(wrong)).toBeNull();
    for (const key of Object.keys(good ?? {}))
      expect(parseStopMemory({ ...good, [key]: { a: 1 } })).toBeNull();
  });

  test("stays small", () => {
    expect(bytes(JSON.stringify(onStop(base).next))).toBeLessThan(400);
  });
});

test("every text fits 600 bytes, and the user's fits one line, whatever the plan says", () => {
  for (const text of wild(150)) {
    const thread = new Thread();
    const hostile: Partial<PlanFacts> = {
      title: text,
      open: Array.from({ length: 30 }, () => ({ ref: text, what: text })),
      next: { why: text, command: text },
    };
    for (let stop = 0; stop < 3; stop++) {
      const decision = thread.stop({ ...hostile, proven: stop === 1 ? 8 : 3 });
      if (decision.kind === "hold") expect(bytes(decision.reason)).toBeLessThanOrEqual(600);
      if (decision.kind !== "let_go") continue;
      expect(bytes(decision.tellAgent)).toBeLessThanOrEqual(600);
      expect(bytes(decision.tellUser)).toBeLessThanOrEqual(600);
      expect(decision.tellUser).not.toMatch(/[\p{Cc}]/u);
    }
  }
});
