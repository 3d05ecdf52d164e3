/** What a text tells of a request beside its URL. */
export interface SentParts {
  readonly method?: string | undefined;
  /** All headers that were sent, by their names in lower case. Missing where the text does not tell them. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What the call added to the query of the URL. */
  readonly query?: string | undefined;
  /** The body of the answer. */
  readonly errorBody?: string | undefined;
  /** The status of an answer that refuses. */
  readonly status?: number | undefined;
}

/** Pairs as a record. A header that comes twice has both values; what HTTP/2 calls `:authority` is the host. */
export function headerRecord(pairs: Iterable<readonly [name: string, value: string]>): SentParts["headers"] {
  const headers = new Map<string, string>();
  for (const [written, value] of pairs) {
    const name = written.toLowerCase().replace(/^:authority$/, "host");
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) continue;
    const before = headers.get(name);
    headers.set(name, withoutSecret(name, before === undefined ? value.trim() : `${before}, ${value.trim()}`));
  }
  return Object.fromEntries(headers);
}

/** Of a login only its kind matters, so that nothing else goes any further. One of a single word may be the secret itself. */
function withoutSecret(name: string, value: string): string {
  if (!/authorization$/.test(name)) return value;
  const [kind = "", secret] = value.split(" ", 2);
  return secret === undefined && !/^(?:Basic|Bearer|Digest|Negotiate)$/i.test(kind) ? "-" : `${kind} -`;
}
