/** What the plugin adds to the host's configuration: commands, skills, agents. Nothing of the user's is overwritten. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { REVIEWER } from "../../hooks/verdict.ts";
import { isMap } from "./api.ts";
import { OWN_REVIEWER } from "./names.ts";

/** The folder that this module was loaded from: skills and agents lie beside it. */
const HERE = dirname(fileURLToPath(import.meta.url));

const COMMANDS: Readonly<Record<string, { readonly description: string; readonly template: string }>> = {
  "ulw-loop": {
    description: "Work through goals that are done only when their checks pass",
    template: "ulw-loop: $ARGUMENTS",
  },
  "performance-goal": {
    description: "Make something faster, measured by the tool",
    template: "performance-goal: $ARGUMENTS",
  },
  goal: {
    description: "Show, set, pause, resume or clear this session's goal",
    template: "$ARGUMENTS",
  },
  cancel: {
    description: "Stop the plan or goal that this session works on; it does not resume by itself",
    template: "$ARGUMENTS",
  },
  proofgate: {
    description: "Show where the plan stands",
    template: "Run `proofgate status` and show me its output as it is, nothing else. $ARGUMENTS",
  },
};

/** @param config the host's merged configuration, changed in place */
export function extend(config: Record<string, unknown>): void {
  const section = (name: string): Record<string, unknown> => {
    const known = config[name];
    if (isMap(known)) return known as Record<string, unknown>;
    const made: Record<string, unknown> = {};
    config[name] = made;
    return made;
  };
  const command = section("command");
  for (const [name, { description, template }] of Object.entries(COMMANDS))
    command[name] ??= { description, template };
  const skills = join(HERE, "skills");
  if (existsSync(skills)) {
    const known = section("skills");
    const paths = Array.isArray(known.paths) ? known.paths : [];
    known.paths = [...paths.filter((one) => one !== skills), skills];
  }
  const agents = join(HERE, "agents");
  if (!existsSync(agents)) return;
  const agent = section("agent");
  for (const file of readdirSync(agents)) {
    const name = file.replace(/\.json$/, "");
    if (name !== file) agent[name] ??= JSON.parse(readFileSync(join(agents, file), "utf8"));
  }
  // The plugin's own reviewer is nobody else's to define: an agent could have written one of that name.
  const reviewer = JSON.parse(readFileSync(join(agents, `${REVIEWER}.json`), "utf8"));
  agent[OWN_REVIEWER] = { ...reviewer, hidden: true };
}
