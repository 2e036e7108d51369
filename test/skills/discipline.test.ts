/** Every line of the workflows' discipline stands in a section, where an agent that looks it up finds it. */

import { expect, test } from "bun:test";
import { section } from "./kit.ts";

interface Line {
  /** What the discipline asks for, in short. */
  readonly says: string;
  /** File below the folder `skills`, and heading. */
  readonly at: readonly [string, string];
  readonly finds: readonly RegExp[];
}

const delegation = (heading: string, says: string, ...finds: RegExp[]): Line => ({
  says,
  at: ["ulw-loop/references/delegation.md", heading],
  finds,
});
const evidence = (heading: string, says: string, ...finds: RegExp[]): Line => ({
  says,
  at: ["ulw-loop/references/evidence.md", heading],
  finds,
});
const transitions = (heading: string, says: string, ...finds: RegExp[]): Line => ({
  says,
  at: ["ulw-loop/references/transitions.md", heading],
  finds,
});
const plan = (heading: string, says: string, ...finds: RegExp[]): Line => ({
  says,
  at: ["ulw-loop/references/plan.md", heading],
  finds,
});

const performance = (heading: string, says: string, ...finds: RegExp[]): Line => ({
  says,
  at: ["performance-goal/SKILL.md", heading],
  finds,
});
const measuring = (heading: string, says: string, ...finds: RegExp[]): Line => ({
  says,
  at: ["performance-goal/references/measuring.md", heading],
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
  performance(
    "Start, before any optimisation",
    "nothing is optimised before an evaluator and a contract exist",
    /settle objective, evaluator, target\s+and guards/,
    /Show the user all of it, then/,
  ),
  performance(
    "Start, before any optimisation",
    "create if there is none",
    /performance-goal list`: go on with an open one/,
    /^proofgate performance-goal create .*--evaluator-command .*--evaluator-contract /m,
  ),
  performance(
    "Start, before any optimisation",
    "start and follow the hand-off: get_goal, create_goal only when there is none",
    /^proofgate performance-goal start$/m,
    /`get_goal`; none: `create_goal` once with its objective, word for word; the same: go on/,
  ),
  performance(
    "Start, before any optimisation",
    "another host goal stops the work, and there is never a second one",
    /--status blocked --evidence "another host goal is active"`, tell the user, stop/,
    /Never a second host goal/,
  ),
  performance("Start, before any optimisation", "work only against the contract", /The contract now stands/),
  performance(
    "Loop",
    "small reversible patches, the related regression tests, the evaluator",
    /One small reversible patch, its regression tests, then\s+```sh\nproofgate performance-goal evaluate$/m,
  ),
  performance("Loop", "what is protected stays as it is", /Never touch\s+protected files/),
  performance(
    "Loop",
    "checkpoint every pass, fail and blocker",
    /Every pass, fail and blocker gets its checkpoint/,
    /--status fail /,
    /--status pass /,
    /--status blocked /,
  ),
  performance(
    "Loop",
    "a plateau is blocked, openly",
    /Plateau .*--status blocked/,
    /`update_goal` blocked, say plainly what was reached and tried/,
  ),
  performance(
    "Loop",
    "an easier contract is the user's",
    /`abandon` and `create --force` are the user's \(`proofgate approve`\)/,
  ),
  performance(
    "The end, in this order",
    "update_goal only after a passing checkpoint and an audit of the objective, then get_goal, then complete",
    /1\. Checkpoint pass\.\n2\. Audit the objective[\s\S]*\n3\. `update_goal\(\{status:"complete"\}\)`, then `get_goal`\.\n4\. `proofgate performance-goal complete --codex-goal-json /,
  ),
  performance(
    "The end, in this order",
    "ordinary tests are not enough unless they are the contract",
    /Ordinary tests are not enough unless they are\s+the contract/,
  ),
  measuring(
    "Ends",
    "delivered work is never recorded as blocked over a snapshot",
    /never recorded as\s+blocked for a snapshot's sake/,
  ),
  measuring(
    "Ends",
    "another host goal stops",
    /Another host goal active: checkpoint blocked/,
    /`\/goal clear`/,
  ),
  measuring("Ends", "what makes a pass stale", /Stale after the pass: any edit of what the contract covers/),
  measuring(
    "The contract",
    "another contract waits for the user",
    /`--force` replaces the open one and waits for their\s+`proofgate approve`/,
  ),
];

for (const { says, at, finds } of LINES)
  test(`${at[0]}, ${at[1]}: ${says}`, () => {
    const text = section(at[0], at[1]);
    expect(text).not.toBe("");
    for (const pattern of finds) expect(text).toMatch(pattern);
  });
