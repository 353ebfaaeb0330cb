// What a tab shows, out of the part of its address that no server sees.

export type Route =
  | { kind: "workspace" }
  | { kind: "session"; id: string }
  | { kind: "share"; id: string };

export interface Place {
  route: Route;
  /** A one-time code for the host, or nothing. */
  code: string;
}

/** Read what stands behind `#`; what is not understood is the workspace. */
export function readPlace(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const code = new URLSearchParams(query).get("code") ?? "";
  const found = /^\/(s|share)\/([\w.-]+)$/.exec(path);
  if (!found) {
    return { route: { kind: "workspace" }, code };
  }
  return { route: { kind: found[1] === "s" ? "session" : "share", id: found[2]! }, code };
}

/** Return the code in what somebody typed or pasted: it may be all of the address. */
export function codeIn(text: string): string {
  const pasted = text.trim();
  const at = pasted.indexOf("#");
  return (at >= 0 && readPlace(pasted.slice(at)).code) || pasted;
}

/** Return the address of a route, without any code. */
export function hashOf(route: Route): string {
  switch (route.kind) {
    case "workspace":
      return "#/";
    case "session":
      return `#/s/${route.id}`;
    case "share":
      return `#/share/${route.id}`;
  }
}

/** Return the seat that a tab with this route sits on; a share link has none. */
export function seatOf(route: Route): string {
  return { workspace: "/", session: `s/${"id" in route ? route.id : ""}`, share: "" }[route.kind];
}

/** Return the name under which the token for a route is kept. */
export function tokenKey(route: Route): string {
  return route.kind === "share" ? `holdfast.share.${route.id}` : "holdfast.token";
}
