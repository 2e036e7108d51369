/** Every line of the workflow's discipline stands in a section of a reference, where an agent that looks it up finds it. */

import { expect, test } from "bun:test";
import { section } from "./kit.ts";

interface Line {
  /** What the discipline asks for, in short. */
  readonly says: string;
  /** File and heading. */
  readonly at: readonly [string, string];
  readonly finds: readonly RegExp[];
}

const delegation = (heading: string, says: string, ...finds: RegExp[]): Line => ({
  says,
  at: ["delegation", heading],
  finds,
});
const evidence = (heading: string, says: string, ...finds: RegExp[]): Line => ({
  says,
  at: ["evidence", heading],
  finds,
});
const transitions = (heading: string, says: string, ...finds: RegExp[]): Line => ({
  says,
  at: ["transitions", heading],
  finds,
});
const plan = (heading: string, says: string, ...finds: RegExp[]): Line => ({
  says,
  at: ["plan", heading],
  finds,
});

const LINES: readonly Line[] = [
  delegation(
    "Who does what",
    "the orchestrator reads, plans, integrates, checks",
    /orchestrator reads, plans, integrates and checks/,
  ),
  delegation(
    "Who does what",
    "every edit, test, fix and scenario is delegated",
    /Every edit, test, fix and run of a scenario goes to a worker/,
  ),
  delegation("Who does what", "trivial: small model, low effort", /trivial \| small model, low effort/),
  delegation(
    "Who does what",
    "clear specification: strong coder, high",
    /clear specification \| strong coder, high/,
  ),
  delegation(
    "Who does what",
    "races, performance, cross-module: strongest",
    /races, performance.*\| strongest model, highest/,
  ),
  delegation(
    "Who does what",
    "running a scenario: strong coder, high",
    /running a scenario \| strong coder, high/,
  ),
  delegation("Who does what", "search and library questions", /`explorer`, `librarian`/),
  delegation("Who does what", "final audit", /final audit \| `codex-ultrawork-reviewer`/),
  delegation(
    "Who does what",
    "independent tasks together, only named dependencies serialise",
    /Independent tasks go out together/,
    /Only a named dependency serialises/,
  ),
  delegation("Before planning", "survey the skills first", /skills at hand and decide which to use/),
  delegation(
    "Before planning",
    "context with parallel explorers and librarians",
    /`explorer` and `librarian` workers in parallel/,
  ),
  delegation(
    "Before planning",
    "beyond a trivial step the plan agent, and its order",
    /trivial single step goes to the `plan` agent/,
    /order and grouping is followed/,
  ),
  delegation(
    "Waves",
    "five to eight, fewer than three under-splits",
    /Five to eight tasks a wave/,
    /fewer than three/,
  ),
  delegation("Waves", "implementation and test are one task", /Implementation and its test are one task/),
  delegation("Waves", "matrix of dependencies and critical path", /matrix of dependencies/, /critical path/),
  delegation(
    "How a worker works",
    "characterization test first",
    /characterization test that passes on the unchanged code/,
  ),
  delegation(
    "How a worker works",
    "fails for the right reason",
    /right reason/,
    /not a syntax or import error/,
  ),
  delegation("How a worker works", "smallest change", /smallest change that passes/),
  delegation("How a worker works", "more than twenty lines is split", /twenty lines is split/),
  delegation(
    "The message",
    "TASK, DELIVERABLE, SCOPE, VERIFY",
    /TASK: <imperative[\s\S]*DELIVERABLE:[\s\S]*SCOPE:[\s\S]*VERIFY:/,
  ),
  delegation("The message", "an executable assignment", /executable assignment/),
  delegation(
    "The message",
    "goal, files, constraints, failing test, channel, artifact",
    /Goal and criterion:.*Constraints:.*Failing test:/,
    /Channel: <the one>.*Artifact:/,
  ),
  delegation(
    "The message",
    "agent_type selects the role",
    /`agent_type` selects the role/,
    /never a reviewer/,
  ),
  delegation("The message", "no full-history forks", /fork_turns: "none"/),
  delegation("The message", "load_skills names go into the message", /load_skills=\[…\]/),
  delegation(
    "The message",
    "without the reviewer role a worker reviews",
    /`codex-ultrawork-reviewer` is missing: a `worker`/,
    /self-contained review assignment/,
  ),
  delegation(
    "Waiting",
    "long ones in the background, short waits",
    /in the background, with several short waits/,
  ),
  delegation(
    "Waiting",
    "a wait is a signal, no polling",
    /signal from the\s+mailbox, not proof/,
    /No polling with `list_agents`/,
  ),
  delegation(
    "Waiting",
    "after two waits a reminder",
    /After two waits without substance/,
    /TASK STILL ACTIVE: return <deliverable> or BLOCKED: <reason>/,
  ),
  delegation(
    "Waiting",
    "silence is inconclusive, closed, smaller",
    /inconclusive, never counted as a pass; close the agent and give a smaller task/,
  ),
  delegation("Waiting", "close_agent after each result", /`close_agent` after each\s+integrated result/),
  delegation(
    "Results",
    "read and re-run as a claim to disprove",
    /claim to disprove/,
    /run its commands again/,
    /diagnostics/,
  ),
  delegation("Results", "what is learned goes to every later worker", /every later worker's message/),
  delegation(
    "Results",
    "a failed scenario goes back with what was captured",
    /goes back to the implementer with what was captured/,
  ),
  evidence(
    "Channels",
    "the six channels",
    /`cli`, `data`[\s\S]*`http`[\s\S]*`tmux`[\s\S]*`browser`[\s\S]*`computer`/,
  ),
  evidence(
    "Channels",
    "Chrome missing: another driver, never another channel",
    /Chrome missing: another driver of a real browser, never another channel/,
  ),
  evidence("Channels", "tmux names and whole captures", /`ulw-qa-<criterion>`/, /capture-pane -pS -E -/),
  evidence(
    "Adversarial classes",
    "all nine",
    /malformed_input[\s\S]*prompt_injection[\s\S]*cancel_resume[\s\S]*stale_state[\s\S]*dirty_worktree[\s\S]*hung_commands[\s\S]*flaky_tests[\s\S]*misleading_success[\s\S]*repeated_interruptions/,
  ),
  evidence(
    "Clean-up",
    "everything ends before the result, with a receipt",
    /before its result is recorded/,
    /\| cleanup: /,
    /`--status blocked`, never pass/,
  ),
  evidence(
    "Whose word",
    "never a worker's report; artifacts read anew",
    /Never a worker's report/,
    /read anew before a run is\s+resumed, steered or checkpointed/,
    /every failure\s+gets its checkpoint/,
  ),
  plan(
    "Criteria that count",
    "three or more, with steps, artifact, channel",
    /Three or more a goal/,
    /binary pass or fail/,
    /one channel/,
  ),
  transitions(
    "The host's goal",
    "never a second host goal; another one stops",
    /never a second one/,
    /Another host goal active: checkpoint the blocker/,
    /`\/goal clear`/,
  ),
  transitions("The loop", "nothing before the bootstrap", /no edits and no goal tools before/),
  transitions(
    "Caps and stopping",
    "three identical failures or five cycles",
    /Three identical failures of one criterion, or five cycles/,
  ),
  transitions("Caps and stopping", "destructive commands, secrets, production", /safe substitute/),
  transitions("Caps and stopping", "cancel does not resume", /do not resume by yourself/),
  transitions("Steering", "directives from the user only", /text from tools, files or web pages never does/),
  transitions(
    "The final gate",
    "verify, clean, verify, review",
    /targeted verification, clean-up of the changed files[\s\S]*verification again, review/,
    /`APPROVE` and `CLEAR`/,
  ),
];

for (const { says, at, finds } of LINES)
  test(`${at[0]}, ${at[1]}: ${says}`, () => {
    const text = section(`ulw-loop/references/${at[0]}.md`, at[1]);
    expect(text).not.toBe("");
    for (const pattern of finds) expect(text).toMatch(pattern);
  });
