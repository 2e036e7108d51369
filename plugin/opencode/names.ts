/** Names that two files have to agree on. */

/** The agent that the plugin itself has review; hidden from lists. */
export const OWN_REVIEWER = "proofgate-review";
