/** Codex, as the work that all hosts share wants to know it. */

import type { HostSide } from "../common/host.ts";
import { runsOnce } from "./runs-once.ts";
import { surroundingsOf } from "./sandbox.ts";
import { tokensIn } from "./tokens.ts";

export const CODEX: HostSide = {
  name: "codex",
  skillPrefix: "$proofgate:",
  surroundings: surroundingsOf,
  tokens: ({ agent, transcript, agentTranscript }) => tokensIn(agent === null ? transcript : agentTranscript),
  continues: (_, hostGoal) => hostGoal === "active" && !runsOnce(process.env.PROOFGATE_HOST_ARGS ?? ""),
};
