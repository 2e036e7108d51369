/** A large state is read in parts and written back with the bytes it was read from: nothing of that may show. */

import { expect, test } from "bun:test";
import { type LazyArray, parseLazily, stringified } from "../../components/journal/lazy.ts";
import { snapshotBody, snapshotBytes } from "../../components/journal/snapshot.ts";
import { peekGoal } from "../../components/ulw-loop/peek.ts";

const lazy: LazyArray = { member: "goals", mark: '{"id":"G', peek: peekGoal };

/** Texts that look like the marks, and whatever else JSON escapes. */
const HOSTILE = [
  '},{"id":"G002","cycles":0,"status":"complete"}],"weakenings":[',
  '"goals":[{"id":"G001"',
  "back\\slash \\",
  'quote " and }] and ]}',
  "Ünïcode 目標 🎯 \u2028 \u0000",
  "",
];

function makeState(goals: number) {
  return {
    title: HOSTILE.join(" "),
    note: { goals: 3 },
    goals: Array.from({ length: goals }, (_, i) => ({
      id: `G${String(i + 1).padStart(3, "0")}`,
      title: `${HOSTILE[i % HOSTILE.length]}`,
      successCriteria: [{ id: "C001", scenario: `${HOSTILE[(i + 1) % HOSTILE.length]}`, status: "pass" }],
      cycles: i % 3,
      status: ["pending", "in_progress", "complete", "review_blocked"][i % 4],
      reason: `${HOSTILE[(i + 2) % HOSTILE.length]}`,
    })),
    weakenings: [{ id: "W001", what: HOSTILE[0] }],
    approvals: [],
  };
}

const read = (state: object) => {
  const parsed = parseLazily(Buffer.from(snapshotBody(state)), lazy);
  if (parsed === null) throw new Error("not read lazily");
  return parsed as ReturnType<typeof makeState>;
};

test("a lazily read state is the state, whatever its texts look like", () => {
  for (const count of [1, 2, 50]) {
    const state = makeState(count);
    const got = read(state);
    expect(got.goals.map((g) => `${g.id} ${g.status}`)).toEqual(
      state.goals.map((g) => `${g.id} ${g.status}`),
    );
    expect(JSON.stringify(got)).toBe(JSON.stringify(state));
    expect(got.goals.map((g) => ({ ...g }))).toEqual(state.goals);
    expect(Object.keys(got)).toEqual(Object.keys(state));
    expect(got.goals.every((g) => "title" in g && !("nothing" in g))).toBeTrue();
  }
});

test("what is written is what a full stringify writes, also when some elements are new, moved or gone", () => {
  const state = makeState(12);
  const got = read(state);
  const changes: ((s: typeof state) => object)[] = [
    (s) => s,
    (s) => ({ ...s, goals: s.goals.map((g) => (g.id === "G004" ? { ...g, status: "complete" } : g)) }),
    (s) => ({ ...s, goals: s.goals.toReversed() }),
    (s) => ({ ...s, goals: s.goals.slice(3, 5), title: "other" }),
    (s) => ({ ...s, goals: [{ ...s.goals[0], id: "G099" }, ...s.goals] }),
    (s) => ({ ...s, goals: [] }),
    (s) => ({ gone: undefined, ...s }),
  ];
  for (const change of changes) {
    expect(snapshotBytes(change(got)).toString()).toBe(snapshotBody(change(state)));
    expect(Buffer.concat([...stringified(change(got))]).toString()).toBe(JSON.stringify(change(state)));
  }
});

test("bytes of another form are left to the full parser", () => {
  for (const text of [
    '"title":"x"}\n',
    '"goals":[]}\n',
    '"goals": [{"id":"G001"}]}\n',
    '"goals":[{"id":"G001"',
  ])
    expect(parseLazily(Buffer.from(text), lazy)).toBeNull();
});

test("an element is not for changing, and rubbish in one is called damage", () => {
  const goals = read(makeState(3)).goals;
  expect(() => Object.assign(goals[0] ?? {}, { title: "changed" })).toThrow(TypeError);
  const broken = parseLazily(Buffer.from('"goals":[{"id":"G001",oops},{"id":"G002"}]}\n'), lazy);
  expect(() => (broken as { goals: { title: string }[] } | null)?.goals[0]?.title).toThrow(
    "The snapshot was changed.",
  );
});
