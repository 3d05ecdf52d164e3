import { DaypassError } from "../core/errors.ts";
import { parseTarget } from "../wire/raw-target.ts";
import type { SplitUrl } from "./explainer.ts";

// A password can contain an unencoded @.
const URL_FORM = /^(https?):\/\/(?:[^/?#]*@)?([^/?#@]+)([^#]*)/i;

/** Splits without decoding. Throws `INVALID_INPUT` if the text is not an absolute http(s) URL. */
export function splitUrl(text: string): SplitUrl {
  const [, protocol, authority, rest] = URL_FORM.exec(text) ?? [];
  if (protocol === undefined || authority === undefined || rest === undefined) {
    throw new DaypassError("INVALID_INPUT", "the URL is not absolute. It must begin with http:// or https://");
  }
  const path = rest.startsWith("/") ? rest : `/${rest}`;
  // Every client percent-encodes these characters.
  const sendable = path.replace(/[^\x21-\x7e]|\\/g, encodeURIComponent);
  return { text, protocol: protocol.toLowerCase() as "http" | "https", authority, wire: parseTarget(sendable) };
}
