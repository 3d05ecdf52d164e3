import type { KeyResolver } from "./contracts.ts";
import { prepareOnce } from "./memoize.ts";

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
    // Of none at all `prepare` says what is missing, where every request would be refused for an unknown key.
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
      // First, as it says of what is no key that it is none.
      const ready = prepared(key);
      known.set(key, prepared);
      return ready;
    });
  return (id) => whenFound(keys(id), prepareAll);
}

/**
 * Goes on with what a caller's function found, at once or later. What merely has a `then` may hand back anything from it, itself included:
 * then what was found would count for what is made of it.
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
