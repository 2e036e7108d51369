/** The surfaces that a criterion can be observed through. */
export const CHANNELS = ["cli", "data", "http", "tmux", "browser", "computer"] as const;
export type Channel = (typeof CHANNELS)[number];
