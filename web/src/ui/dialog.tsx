import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Facts {
  title: string;
  /** What the button that does it says. */
  action: string;
  isDangerous?: boolean;
  act: () => void;
  close: () => void;
  children: ComponentChildren;
}

/** Asks before something is done; Escape and Cancel do nothing. */
export function Dialog({ title, action, isDangerous, act, close, children }: Facts) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  // Closed by itself, not just taken away: then the focus is where it was before.
  const leave = (): void => dialog.current?.close();
  const submit = (event: Event): void => {
    event.preventDefault();
    leave();
    act();
  };
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="dialog-title">
      <form onSubmit={submit}>
        <h2 id="dialog-title">{title}</h2>
        {children}
        <div class="buttons">
          <button type="button" onClick={leave}>
            Cancel
          </button>
          <button type="submit" class={isDangerous ? "danger" : "primary"}>
            {action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
