import type { KeyResolver } from "./contracts.ts";
import { refusal } from "./errors.ts";
import { whenFound } from "./key-resolver.ts";

/**
 * The secrets of a scheme whose tokens name no key: one, several while one replaces another, or a function that fetches
 * them.
 */
export type Secrets =
  | string
  | readonly string[]
  | (() => string | readonly string[] | Promise<string | readonly string[]>);

/** Turns {@link Secrets} into a resolver of prepared keys. Configured secrets are prepared, and so checked, at once. */
export function secretResolver<K>(secrets: Secrets, prepare: (secret: string) => K): KeyResolver<K> {
  const prepareAll = (found: string | readonly string[]): readonly K[] =>
    [found].flat().map((secret) => prepare(checkText(secret, "secrets")));
  if (typeof secrets !== "function") {
    const keys = prepareAll(secrets);
    return () => keys;
  }
  return () => whenFound(secrets(), prepareAll);
}

/** Whether what stands for a key has a member. Of a text `in` would throw an error that quotes it, and the text may be the secret. */
export function hasMember<K extends object, N extends string>(
  key: K,
  name: N,
): key is Extract<K, { readonly [member in N]: unknown }> {
  return Object(key) === key && name in key;
}

/** A secret that is missing reads as `undefined`, and a MAC with an empty key is one that anybody can make. */
export function checkText(secret: string, option = "secret"): string {
  if (typeof secret === "string" && secret !== "") return secret;
  throw refusal("INVALID_KEY", `${option} as text that is not empty, found something else`);
}

/**
 * A secret to sign with that stands in a dashboard or in a line of a configuration. A file of secrets ends with a line break, which would
 * be signed with and match nothing. A verifier takes it, as `explain` tries whether somebody else has signed with one.
 */
export function checkSecret(secret: string): string {
  if (/[\r\n]/.test(checkText(secret)))
    throw refusal("INVALID_KEY", "secret as text without line breaks, found one: trim what was read from a file");
  return secret;
}
