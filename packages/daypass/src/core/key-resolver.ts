import { secretFault } from "#advice";
import type { KeyResolver } from "./contracts.ts";
import { refusal } from "./errors.ts";

/**
 * Prepares an object once, and again if another object or another value in a field arrives: a key store may write a new
 * secret into the same object, and the old secret must stop working. Errors of `prepare` are thrown
 * and not stored.
 */
export function prepareOnce<C extends object, P>(prepare: (given: C) => P): (given: C) => P {
  let last: readonly unknown[] = [];
  let prepared: P;
  return (given) => {
    const parts = [given, ...Object.values(Object(given) as object)];
    // An object of a class with getters has no visible fields, so it may have changed.
    if (parts.length < 2 || parts.length !== last.length || parts.some((part, at) => part !== last[at])) {
      prepared = prepare(given);
      last = parts;
    }
    return prepared;
  };
}

/**
 * Any form of a verifier's option for keys: one, several, or a function that looks them up by their identifier. The
 * factory checks configured keys. Keys from a function are checked when a request needs them: for an invalid key,
 * `verify` throws `INVALID_KEY`, which is a server error, not a refusal.
 */
export type Keys<C> = C | readonly C[] | KeyResolver<C>;

/**
 * Turns {@link Keys} into a resolver of prepared keys. Configured ones are prepared, and so checked, at once; of a function
 * the same object is prepared once.
 */
export function keyResolver<C extends object, K>(
  keys: Keys<C>,
  idOf: (key: C) => string,
  prepare: (key: C) => K,
): KeyResolver<K> {
  if (typeof keys !== "function") {
    const byId = new Map<string, K[]>();
    // Without keys, `prepare` reports what is missing. Otherwise, every request would be refused for an unknown key.
    for (const key of listOf(keys ?? ({} as C))) {
      const prepared = prepare(key);
      byId.get(idOf(key))?.push(prepared) ?? byId.set(idOf(key), [prepared]);
    }
    return (id) => byId.get(id);
  }
  const known = new WeakMap<C, (key: C) => K>();
  const prepareAll = (found: C | readonly C[] | null | undefined): readonly K[] =>
    listOf(found).map((key) => {
      const prepared = known.get(key) ?? prepareOnce(prepare);
      // First, because it refuses a value that is not a key.
      const ready = prepared(key);
      known.set(key, prepared);
      return ready;
    });
  return (id) => whenFound(keys(id), prepareAll);
}

/**
 * Continues with the result of a caller's function, at once or later. A thenable may resolve to anything, even to itself:
 * then the found value would be used as the prepared value.
 */
export function whenFound<T, R>(found: T | Promise<T>, step: (found: T) => R): R | Promise<R> {
  return isPromise(found) ? Promise.resolve(found).then(step) : step(found);
}

// By its method: a promise of another realm is no instance of this one's.
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | undefined)?.then === "function";
}

/** No key, which many databases tell as `null`, one, or several: all of them as a list. */
export function listOf<C>(keys: C | readonly C[] | null | undefined): readonly C[] {
  const found = keys ?? [];
  return Array.isArray(found) ? (found as readonly C[]) : [found as C];
}

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

/** Whether a key has a member. For a text, `in` would throw an error that quotes the text, which may be the secret. */
export function hasMember<K extends object, N extends string>(
  key: K,
  name: N,
): key is Extract<K, { readonly [member in N]: unknown }> {
  return Object(key) === key && name in key;
}

/** A secret that is missing reads as `undefined`, and everyone can compute a MAC with an empty key. */
export function checkText(secret: string, option = "secret"): string {
  if (typeof secret === "string" && secret !== "") return secret;
  throw refusal("INVALID_KEY", secretFault(option, secret) ?? `${option} is not text`);
}

/**
 * A secret to sign with, from a dashboard or a line of a configuration. A file of secrets ends with a line break, which would
 * make signatures that match nothing. A verifier accepts such a secret, because `explain` tries whether a signer used one.
 */
export function checkSecret(secret: string): string {
  if (/[\r\n]/.test(checkText(secret)))
    throw refusal("INVALID_KEY", "secret contains a line break. Trim what was read from a file");
  return secret;
}
