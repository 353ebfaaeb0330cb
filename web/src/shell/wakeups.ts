// Moments at which a page that was away looks whether the host is there: the network came back, the
// tab was looked at, it came out of the back/forward cache. And signs of a person.

export function onWakeup(wake: () => void): void {
  addEventListener("online", wake);
  addEventListener("pageshow", wake);
  addEventListener("focus", wake);
  document.addEventListener("visibilitychange", () => isVisible() && wake());
}

export function onPerson(sign: () => void): void {
  for (const event of ["pointermove", "pointerdown", "wheel", "focus"]) {
    addEventListener(event, sign, { passive: true, capture: true });
  }
}

export function isVisible(): boolean {
  return document.visibilityState === "visible";
}
