/** How a key signs: a property of the key and never of the URL. */
export type UrlAlgorithm = "HS256" | "Ed25519";

/** The signed parts, each as it is on the wire. */
export interface UrlCanonical {
  /** The configured origin, `scheme://host[:port]`. */
  readonly origin: string;
  readonly kind: "exact" | "prefix";
  /** The whole path, or its fixed part with a trailing `/`. */
  readonly path: string;
  /** The tokens that are neither `dp-*` nor named in dp-vary, in wire order, joined by `&`. */
  readonly query: string;
  /** The `dp-*` tokens other than dp-signature, joined by `&`. */
  readonly params: string;
  /** `name:value` and a line feed for each header that dp-headers names. */
  readonly headers: string;
}

/**
 * "S = "daypass-url-v1" LF N(alg) N(origin) N(kind) N(path) N(query) N(params) N(headers)", where N writes the length
 * before the text: no two different requests share a string to sign, whatever bytes they hold (SigV1 and Flickr joined
 * their parts without that). Every part is ASCII, so its length in UTF-16 units is its length in bytes.
 *
 * Proven by test/vectors/url: "HS256: example 1 of the page" and "Ed25519: example 2 of the page".
 */
export function urlStringToSign(alg: UrlAlgorithm, parts: UrlCanonical): string {
  const { origin, kind, path, query, params, headers } = parts;
  let text = "daypass-url-v1\n";
  for (const part of [alg, origin, kind, path, query, params, headers]) text += `${part.length}:${part}\n`;
  return text;
}
