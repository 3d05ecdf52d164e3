import type { KeyResolver } from "daypass";
import type { S3Credentials } from "daypass/s3";
import { type KeyScope, type ReadScope, readScope } from "../../pipeline/key-scope.ts";

/** An access key with what the operator lets it grant. */
export interface S3AccessKey extends S3Credentials {
  readonly scope?: KeyScope | undefined;
}

/** What a resolver finds under an id. */
export type FoundKeys = S3AccessKey | readonly S3AccessKey[] | undefined;

const UNLIMITED: ReadScope = {};

/** What the keys of an id may do. */
export function scopesOf(keys: KeyResolver<S3AccessKey>, id: string): ReturnType<KeyResolver<ReadScope>> {
  const found = keys(id);
  return found instanceof Promise ? found.then(scopesFound) : scopesFound(found);
}

/**
 * What the keys that were found may do.
 *
 * @throws {DaypassError} `INVALID_KEY`; nobody sees it but the operator and whoever has signed by the key
 */
export function scopesFound(found: FoundKeys): ReadScope | readonly ReadScope[] | undefined {
  if (found === undefined) return undefined;
  return isList(found) ? found.map(scopeOf) : scopeOf(found);
}

function scopeOf({ scope }: S3AccessKey): ReadScope {
  return scope === undefined ? UNLIMITED : readScope(scope);
}

/** The keys of an id. */
export function listFound(found: FoundKeys): readonly S3AccessKey[] {
  if (found === undefined) return [];
  return isList(found) ? found : [found];
}

function isList(found: S3AccessKey | readonly S3AccessKey[]): found is readonly S3AccessKey[] {
  return Array.isArray(found);
}
