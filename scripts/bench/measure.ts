/** Measuring: several programs in turn within each round, so that whatever disturbs the machine disturbs all of them. */

/** A program to measure. It is started anew each time. */
export interface Candidate {
  readonly name: string;
  readonly command: (round: number) => readonly string[];
  readonly cwd: string;
  readonly env: Record<string, string>;
}

/** Wall-clock milliseconds of each candidate in each round. */
export type Rounds = readonly Readonly<Record<string, number>>[];

const WARM_UP = 2;

/**
 * Runs all candidates once a round, in an order that turns from round to round.
 * @throws Error when a program does not exit 0
 */
export async function measure(candidates: readonly Candidate[], rounds: number): Promise<Rounds> {
  const all: Record<string, number>[] = [];
  for (let round = 0; round < rounds + WARM_UP; round++) {
    const times: Record<string, number> = {};
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[(i + round) % candidates.length];
      if (candidate !== undefined) times[candidate.name] = await timed(candidate, round);
    }
    if (round >= WARM_UP) all.push(times);
  }
  return all;
}

async function timed(candidate: Candidate, round: number): Promise<number> {
  const started = performance.now();
  const child = start(candidate, round);
  const exit = await child.exited;
  const ms = performance.now() - started;
  if (exit !== 0)
    throw new Error(`${candidate.name} ended with exit ${exit}: ${candidate.command(round).join(" ")}`);
  return ms;
}

export const start = (candidate: Candidate, round: number) =>
  Bun.spawn([...candidate.command(round)], {
    cwd: candidate.cwd,
    env: candidate.env,
    stdio: ["ignore", "ignore", "inherit"],
  });

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] =
    sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : [sorted[middle - 1], sorted[middle]];
  return (low + high) / 2;
}

/** The median over the rounds of something computed within each round. */
export const over = (rounds: Rounds, value: (times: (name: string) => number) => number): number =>
  median(rounds.map((round) => value((name) => round[name] ?? Number.NaN)));
