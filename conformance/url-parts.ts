/** A URL cut into what two signers must agree on, every part in the spelling of the wire. */
export interface UrlParts {
  /** `scheme://host[:port]` */
  readonly origin: string;
  readonly path: string;
  /** Every `name=value` but the signature's, sorted by code unit: parameters have no order. */
  readonly tokens: readonly string[];
  readonly signature: string;
}

/** Cuts by hand: a URL parser would re-spell what is to be compared. */
export function urlParts(url: string): UrlParts {
  const match = /^(https?:\/\/[^/?#]+)([^?#]*)\?([^#]*)$/.exec(url);
  const [, origin, path, query] = match ?? [];
  if (origin === undefined || path === undefined || query === undefined) throw new Error(`not a signed URL: ${url}`);
  const tokens = query.split("&");
  const signature =
    tokens.find((token) => token.startsWith("X-Amz-Signature="))?.slice("X-Amz-Signature=".length) ?? "";
  return { origin, path, tokens: tokens.filter((token) => !token.startsWith("X-Amz-Signature=")).sort(), signature };
}

/** Decodes a token in the form spelling, where `+` is a space. */
export function decodeToken(token: string): readonly [name: string, value: string] {
  const [name = "", ...rest] = token.split("=");
  return [decodeForm(name), decodeForm(rest.join("="))];
}

function decodeForm(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}
