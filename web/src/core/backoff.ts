// How long to wait before the next try to reach the host.

const FIRST_MS = 250; // a host that was restarted is back in half a second
const LIMIT_MS = 8_000; // what a person waits at most for a host that they started again

/** Return the wait before a try; the first is `attempt` 0, and `chance` is in [0, 1). */
export function waitMs(attempt: number, chance: number): number {
  const full = Math.min(LIMIT_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return full * (0.5 + chance / 2); // so that many tabs do not knock at once
}
