/** The parts of a request and its response that pasted text states in addition to the URL. */
export interface RequestParts {
  readonly method?: string | undefined;
  /** All headers that were sent, with lower-case names. `undefined` if the text does not state all of them. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The body of the error response. */
  readonly errorBody?: string | undefined;
  /** The status of the error response. */
  readonly status?: number | undefined;
}

/** A record of header pairs. The values of a repeated header are joined, and HTTP/2's `:authority` becomes `host`. */
export function headerRecord(pairs: Iterable<readonly [name: string, value: string]>): RequestParts["headers"] {
  const headers = new Map<string, string>();
  for (const [written, value] of pairs) {
    const name = written.toLowerCase().replace(/^:authority$/, "host");
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) continue;
    const before = headers.get(name);
    headers.set(name, withoutSecret(name, before === undefined ? value.trim() : `${before}, ${value.trim()}`));
  }
  return Object.fromEntries(headers);
}

/** Reduces an Authorization value to its scheme. A value of one word may be the secret itself. */
function withoutSecret(name: string, value: string): string {
  if (!/authorization$/.test(name)) return value;
  const [kind = "", secret] = value.split(" ", 2);
  return secret === undefined && !/^(?:Basic|Bearer|Digest|Negotiate)$/i.test(kind) ? "-" : `${kind} -`;
}
