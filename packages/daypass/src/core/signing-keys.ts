import { type CredentialScope, type ScopeSigner, scopeSigner, type V4Family } from "./v4.ts";

/** Derived signing keys of one secret, one for each scope in use. */
export type SigningKeys = (scope: CredentialScope) => ScopeSigner;

// A URL lives for seven days at most, so eight dates can be in use; the rest is room for a few regions.
const MAX_CACHED_SCOPES = 32;

/** Derives signing keys and keeps them: the four HMACs of a derivation cost more than a signature. */
export function signingKeys(family: V4Family, secret: string): SigningKeys {
  const derived = new Map<string, ScopeSigner>();
  let lastScope: CredentialScope | undefined;
  let lastKey: ScopeSigner | undefined;
  return (scope) => {
    // Who reads scopes keeps them, so that nearly all of a day are one object.
    if (lastKey !== undefined && scope === lastScope) return lastKey;
    const name = `${scope.date}/${scope.region}/${scope.service}`;
    let key = derived.get(name);
    if (key === undefined) {
      key = scopeSigner(family, secret, scope);
      // The scope comes from the request: whoever sends strange ones must not fill the memory.
      if (derived.size >= MAX_CACHED_SCOPES) derived.clear();
      derived.set(name, key);
    }
    lastScope = scope;
    lastKey = key;
    return key;
  };
}
