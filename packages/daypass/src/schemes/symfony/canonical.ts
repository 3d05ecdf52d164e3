import { macBase64, uriEncode, utf8 } from "../../wire/encoding.ts";
import type { Parameter } from "../../wire/parameters.ts";

/** The weakness of Symfony's UriSigner. */
export type SymfonyWeakness = "no-expiry";
export const SYMFONY_WEAK: readonly SymfonyWeakness[] = ["no-expiry"];

/** Options that signer and verifier must share with UriSigner. */
export interface SymfonyOptions {
  /** Names of the parameters: `{ hash: "_hash", expiration: "_expiration" }` by default. */
  readonly parameters?: { readonly hash?: string; readonly expiration?: string } | undefined;
  /**
   * How the hash is written: `"base64url"` by default, as in releases of 2025 and later; `"base64"` for earlier ones,
   * such as 5.4 and 6.4, which also do not support `_expiration`.
   */
  readonly encoding?: "base64url" | "base64" | undefined;
}

/** The hash as text; in a URL `http_build_query` encodes it. */
export function symfonyHash(mac: string, encoding: "base64url" | "base64"): string {
  return encoding === "base64url" ? mac : macBase64(mac);
}

/** PHP's `urlencode`: a space is `+`, and `~` is encoded. */
export function phpEncode(text: string): string {
  return uriEncode(text).replaceAll("%20", "+").replaceAll("~", "%7E");
}

/**
 * Whether PHP reads a parameter by the name that it has: it turns `.` and spaces into `_`, numbers `a[]` anew and leaves
 * broken brackets to themselves.
 */
export function isPhpName(name: string): boolean {
  return /^[^\s.[\]\p{Cc}]+(?:\[[^[\]\p{Cc}]+\])*$/u.test(name);
}

type Tree = Map<string, string | Tree>;

/**
 * The query as `http_build_query` writes it after `parse_str` and `ksort(SORT_STRING)`: top-level names in the order of
 * their bytes, what is inside brackets in the order of its first appearance. `undefined` where two parameters are at odds.
 */
export function phpQuery(parameters: readonly Parameter[]): string | undefined {
  const root: Tree = new Map();
  for (const [name, value] of parameters) {
    const keys = name.replaceAll("]", "").split("[");
    const last = keys.pop() as string;
    let node = root;
    for (const key of keys) {
      const next = node.get(key) ?? new Map();
      if (typeof next === "string") return undefined;
      node.set(key, next);
      node = next;
    }
    if (node.has(last)) return undefined;
    node.set(last, value);
  }
  return [...root]
    .sort(([a], [b]) => compareBytes(a, b))
    .flatMap(([name, value]) => flatten(name, value))
    .map(([name, value]) => `${phpEncode(name)}=${phpEncode(value)}`)
    .join("&");
}

function flatten(name: string, value: string | Tree): readonly Parameter[] {
  if (typeof value === "string") return [[name, value]];
  return [...value].flatMap(([key, inner]) => flatten(`${name}[${key}]`, inner));
}

function compareBytes(a: string, b: string): number {
  const [left, right] = [utf8(a), utf8(b)];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i] as number) - (right[i] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
