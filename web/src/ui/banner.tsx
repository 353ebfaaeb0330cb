import { reasonText } from "../core/link.ts";
import type { Model } from "../core/model.ts";
import type { Page } from "../shell/page.ts";

/** Says why there is no connection, for as long as there is none. */
export function Banner({ page, model }: { page: Page; model: Model }) {
  const { link } = model;
  const text = reasonText(link);
  const command = link.command || model.command;
  const isDown = link.reason === "idle" || link.command !== "";
  return (
    <div role="alert" class={text ? "banner shown" : "banner"}>
      {text && (
        <>
          <p>
            <strong>{text}</strong> <Advice model={model} />
            {isDown && command && (
              <>
                {" Start it with "}
                <code>{command}</code>
              </>
            )}
          </p>
          <button
            type="button"
            class="primary"
            aria-label="Reconnect to the host"
            disabled={link.phase === "connecting"}
            onClick={() => page.reconnect()}
          >
            {link.phase === "connecting" ? "Connecting…" : "Reconnect"}
          </button>
        </>
      )}
    </div>
  );
}

function Advice({ model: { link } }: { model: Model }) {
  if (link.reason === "superseded") {
    return <>What you see is the last picture. Reconnect takes the place back.</>;
  }
  return <>{link.detail ? `${link.detail}. ` : ""}The sessions live on.</>;
}
