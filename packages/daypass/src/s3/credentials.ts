import { refusal } from "../errors.ts";
import { type Keys, keyResolver } from "../key-resolver.ts";
import type { KeyResolver } from "../scheme.ts";
import { AWS4, type CredentialScope, type ScopeSigner, scopeSigner } from "../v4.ts";

/** An access key as every AWS tool knows it. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Present with temporary credentials. */
  readonly sessionToken?: string | undefined;
  /** When temporary credentials end: no URL made with them lives longer. */
  readonly expiration?: Date | undefined;
}

/** Checks the form of credentials: a misspelt property would otherwise sign with `undefined`. Throws `INVALID_KEY`. */
export function checkCredentials(credentials: S3Credentials): S3Credentials {
  const { accessKeyId, secretAccessKey, sessionToken = "-", expiration = 1 } = credentials;
  const isText = (value: unknown): boolean => typeof value === "string" && value !== "";
  // A Date before 1970 is a mistake, and an invalid one compares as false.
  if (![accessKeyId, secretAccessKey, sessionToken].every(isText) || !(Number(expiration) > 0)) {
    // Says nothing of what was found: it may be the secret in the wrong place.
    throw refusal(
      "INVALID_KEY",
      "accessKeyId, secretAccessKey and sessionToken (if any) as text, expiration (if any) as a valid Date; found something else",
    );
  }
  return credentials;
}

/** Finds what a verifier needs of credentials by their access key id. */
export function credentialResolver<K>(
  credentials: Keys<S3Credentials>,
  prepare: (credentials: S3Credentials) => K,
): KeyResolver<K> {
  return keyResolver(
    credentials,
    ({ accessKeyId }) => accessKeyId,
    (found) => prepare(checkCredentials(found)),
  );
}

// A URL lives for seven days at most, so eight dates can be in use; the rest is room for a few regions.
const MAX_CACHED_SCOPES = 32;

/** Derived signing keys of one secret, one for each scope in use. */
export interface SigningKeys {
  forScope(scope: CredentialScope): ScopeSigner;
}

/** Derives signing keys and keeps them: the four HMACs of a derivation cost more than a signature. */
export function signingKeys(secretAccessKey: string): SigningKeys {
  const derived = new Map<string, ScopeSigner>();
  let lastScope: CredentialScope | undefined;
  let lastKey: ScopeSigner | undefined;
  return {
    forScope(scope) {
      if (lastKey !== undefined && scope === lastScope) return lastKey;
      const name = `${scope.date}/${scope.region}/${scope.service}`;
      let key = derived.get(name);
      if (key === undefined) {
        key = scopeSigner(AWS4, secretAccessKey, scope);
        // The scope comes from the request: whoever sends strange ones must not fill the memory.
        if (derived.size >= MAX_CACHED_SCOPES) derived.clear();
        derived.set(name, key);
      }
      lastScope = scope;
      lastKey = key;
      return key;
    },
  };
}
