// What a browser keeps for us: the token per origin, the client id per tab.

const CLIENT = "holdfast.client";
const CHOSEN = "holdfast.chosen";

type Kept = Pick<Storage, "getItem" | "setItem">;

const tab = kept(() => sessionStorage);
const origin = kept(() => localStorage);

// A browser that is told to keep nothing throws at the first touch: then it lasts until a reload.
function kept(storage: () => Storage): Kept {
  try {
    const found = storage();
    found.setItem("holdfast.kept", "");
    found.removeItem("holdfast.kept");
    return found;
  } catch {
    const known = new Map<string, string>();
    return {
      getItem: (key) => known.get(key) ?? null,
      setItem: (key, value) => void known.set(key, value),
    };
  }
}

/** Return this tab's client id; a duplicated tab brings the same one, and the newer one wins. */
export function clientId(): string {
  const known = tab.getItem(CLIENT);
  if (known) {
    return known;
  }
  const bytes = crypto.getRandomValues(new Uint8Array(12)); // randomUUID is for https alone
  const made = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  tab.setItem(CLIENT, made);
  return made;
}

/** The session that this tab shows, for when it is loaded again. */
export const chosen = {
  get: (): string => tab.getItem(CHOSEN) ?? "",
  set: (id: string): void => tab.setItem(CHOSEN, id),
};

export const token = {
  get: (key: string): string => origin.getItem(key) ?? "",
  set: (key: string, value: string): void => origin.setItem(key, value),
};
