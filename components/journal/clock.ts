/** Time that only goes forward, and waiting, both without `perf_hooks` and timers: loading those costs a cold start. */

/** Milliseconds from some fixed point in the past. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Stands still. */
export function pauseSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
