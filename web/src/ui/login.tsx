import { useState } from "preact/hooks";

import type { Model } from "../core/model.ts";
import type { Page } from "../shell/page.ts";

/** Asks for the code that the host printed. */
export function Login({ page, model }: { page: Page; model: Model }) {
  const [code, setCode] = useState("");
  const error = model.loginError || model.link.detail;
  const submit = (event: Event): void => {
    event.preventDefault();
    void page.logIn(code);
  };
  return (
    <main class="login">
      <form onSubmit={submit}>
        <h1>Holdfast</h1>
        <Wanted isShare={model.route.kind === "share"} />
        <label for="code">Code</label>
        <input
          id="code"
          value={code}
          autocomplete="one-time-code"
          spellcheck={false}
          required
          aria-describedby="login-error"
          onInput={(event) => setCode(event.currentTarget.value)}
        />
        <p id="login-error" role="alert" class="error">
          {error}
        </p>
        <button type="submit" class="primary">
          Log in
        </button>
      </form>
    </main>
  );
}

function Wanted({ isShare }: { isShare: boolean }) {
  if (isShare) {
    return (
      <p>
        This link lets nobody in any more, or its end is missing: links expire, and can be revoked.
        Who shared the session can make another with <code>hold share</code>.
      </p>
    );
  }
  return (
    <p>
      This browser is not known to the host yet. It wants the code at the end of the address that{" "}
      <code>hold host</code> has printed, or all of it. A code works once, for five minutes.
    </p>
  );
}
