import { DaypassError, type KeyResolver } from "daypass";
import type { S3Credentials } from "daypass/s3";
import { type FoundScopes, type KeyScope, type ReadScope, readScope } from "../../pipeline/key-scope.ts";

/** An access key with what the operator lets it grant. */
export interface S3AccessKey extends S3Credentials {
  readonly scope?: KeyScope | undefined;
}

/** What a resolver finds under an id. No key is told by nothing, by `null` or by an empty list. */
export type FoundKeys = S3AccessKey | readonly S3AccessKey[] | null | undefined;

const UNLIMITED: ReadScope = {};

/**
 * What a resolver finds, at once or later. A query of a database is often no `Promise` but has its `then`, as the library's verifiers
 * know: taken for the key itself it would have no scope.
 */
export function findKeys(keys: KeyResolver<S3AccessKey>, id: string): FoundKeys | Promise<FoundKeys> {
  const found = keys(id);
  const { then } = (found ?? {}) as { readonly then?: unknown };
  return typeof then === "function" ? Promise.resolve(found) : (found as FoundKeys);
}

/** What the keys of an id may do. */
export function scopesOf(keys: KeyResolver<S3AccessKey>, id: string): FoundScopes | Promise<FoundScopes> {
  const found = findKeys(keys, id);
  return found instanceof Promise ? found.then(scopesFound) : scopesFound(found);
}

/**
 * What the keys that were found may do.
 *
 * @throws {DaypassError} `INVALID_KEY`; nobody sees it but the operator and whoever has signed by the key
 */
export function scopesFound(found: FoundKeys): FoundScopes {
  if (found === undefined || found === null) return undefined;
  if (!isList(found)) return scopeOf(found);
  return found.length === 0 ? undefined : found.map(scopeOf);
}

function scopeOf(key: S3AccessKey): ReadScope {
  // The signature was held against what was found before. A database that tells by `false` that it is gone has not unbound it.
  if (Object(key) !== key) throw new DaypassError("INVALID_KEY", "expected a key or none, found something else");
  const { scope } = key;
  return scope === undefined ? UNLIMITED : readScope(scope);
}

/** The keys of an id. */
export function listFound(found: FoundKeys): readonly S3AccessKey[] {
  if (found === undefined || found === null) return [];
  return isList(found) ? found : [found];
}

function isList(found: S3AccessKey | readonly S3AccessKey[]): found is readonly S3AccessKey[] {
  return Array.isArray(found);
}
