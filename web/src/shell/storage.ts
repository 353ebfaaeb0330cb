// What a browser keeps for us: the token per origin, the client id per tab.

const CLIENT = "holdfast.client";
const CHOSEN = "holdfast.chosen";

/** Return this tab's client id; a duplicated tab brings the same one, and the newer one wins. */
export function clientId(): string {
  const known = sessionStorage.getItem(CLIENT);
  if (known) {
    return known;
  }
  const bytes = crypto.getRandomValues(new Uint8Array(12)); // randomUUID is for https alone
  const made = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem(CLIENT, made);
  return made;
}

/** The session that this tab shows, for when it is loaded again. */
export const chosen = {
  get: (): string => sessionStorage.getItem(CHOSEN) ?? "",
  set: (id: string): void => sessionStorage.setItem(CHOSEN, id),
};

export const token = {
  get: (key: string): string => localStorage.getItem(key) ?? "",
  set: (key: string, value: string): void => localStorage.setItem(key, value),
};
