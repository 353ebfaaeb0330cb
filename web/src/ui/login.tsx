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
        <p>
          This browser is not known to the host yet. It wants the code at the end of the address
          that <code>hold host</code> has printed. A code works once, for five minutes.
        </p>
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
