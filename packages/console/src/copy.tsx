/** An address with a button that copies it. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "./icons.tsx";
import { m } from "./messages.ts";

export function Copy({ text, name }: { readonly text: string; readonly name: string }): JSX.Element {
  const [isCopied, setCopied] = useState(false);
  const copy = (): void => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <div class="copy">
      <code>{text}</code>
      <button type="button" class="btn alt" aria-label={m.copyOf(name)} onClick={copy}>
        <Icon name="copy" />
        {isCopied ? m.copied : m.copy}
      </button>
      <span class="vh" role="status">
        {isCopied ? m.copied : ""}
      </span>
    </div>
  );
}
