/** How a proxy describes the request that it asks about. */
import type { WireRequest } from "daypass";
import type { Outcome } from "../pipeline/outcome.ts";

/** The request that a client sent to the proxy. */
export interface OriginalRequest {
  readonly method: string;
  readonly host: string;
  /** Path and query, as the client sent them. */
  readonly target: string;
  readonly remoteAddress: string | undefined;
}

/** Decides about requests. */
export interface Decider {
  /**
   * Decides about one request: status 200 with `Daypass-Grant`, `Daypass-Key` and `Daypass-Subject`, or a denial. Never throws.
   *
   * @param original as the client sent it to the proxy
   * @param headers of the client: cookies, and the headers that a URL binds
   */
  decide(original: OriginalRequest, headers: WireRequest["headers"]): Promise<Outcome>;
}

/** One kind of proxy. */
export interface ProxyDialect {
  /** Reads exactly the headers that this proxy sets; `undefined` if one is missing or repeated. */
  readonly read: (request: WireRequest) => OriginalRequest | undefined;
  /** The status that the proxy understands as this denial; by default the same. */
  readonly denial?: ((status: number) => number) | undefined;
  /** Whether the proxy needs every header of an answer, empty if it has no value. */
  readonly wantsEmptyHeaders?: boolean | undefined;
}

/** The names of the headers, in lower case. */
export interface ProxyHeaders {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly address: string;
}

/** Reads the original request from headers. Refuses a header that is absent or repeated; only the address may be absent. */
export function fromHeaders(names: ProxyHeaders): ProxyDialect["read"] {
  return ({ headers }) => {
    const method = only(headers, names.method);
    const target = only(headers, names.target);
    const host = only(headers, names.host);
    if (method === undefined || target === undefined || host === undefined) return undefined;
    return { method, target, host, remoteAddress: lastAddress(only(headers, names.address)) };
  };
}

/** The value of a header that occurs once and is not empty. */
export function only(headers: WireRequest["headers"], wanted: string): string | undefined {
  let found: string | undefined;
  for (const [name, value] of headers) {
    if (name.length !== wanted.length || name.toLowerCase() !== wanted) continue;
    if (found !== undefined || value === "") return undefined;
    found = value;
  }
  return found;
}

/** The last address of a list: the proxy appended it. */
export function lastAddress(list: string | undefined): string | undefined {
  return list?.slice(list.lastIndexOf(",") + 1).trim();
}
