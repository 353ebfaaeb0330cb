// A one-time code for a token.

import { codeIn } from "../core/route.ts";

interface Answer {
  token?: string;
  error?: { what: string; fix: string };
}

/** Return the token that a code buys; fails with the words to show. */
export async function login(base: URL, code: string): Promise<string> {
  let answer: Answer;
  try {
    const response = await fetch(new URL("api/login", base), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code: codeIn(code) }),
    });
    answer = (await response.json()) as Answer;
  } catch {
    throw new Error("The host cannot be reached. Is it running?");
  }
  if (!answer.token) {
    const { what = "The host did not take the code", fix = "" } = answer.error ?? {};
    throw new Error(`${what}. ${fix}`);
  }
  return answer.token;
}
