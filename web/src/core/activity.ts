// When the host is told that somebody is there. Nothing here is on a timer: something has happened
// in the page, and the question is whether that is worth saying.

/** Once a minute is enough for every idle timeout that a person would set. */
export const EVERY_MS = 60_000;

/** What has happened: a person moved, scrolled or focused, or a session printed. */
export type Sign = "person" | "output";

/** Return whether a sign is to be told; `told` is when one was told last. */
export function isWorthTelling(sign: Sign, now: number, told: number, visible: boolean): boolean {
  // Of a tab that nobody sees, what its sessions print says nothing about people.
  return now - told >= EVERY_MS && (sign === "person" || visible);
}
