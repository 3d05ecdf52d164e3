import { DaypassError } from "../errors.ts";
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

/** Checks the form of credentials: a misspelt property would otherwise sign with `undefined`. */
export function checkCredentials(credentials: S3Credentials): S3Credentials {
  for (const name of ["accessKeyId", "secretAccessKey", "sessionToken"] as const) {
    const value: unknown = credentials[name] ?? (name === "sessionToken" ? "none" : undefined);
    if (typeof value !== "string" || value === "") throw invalidCredentials(name, "text");
  }
  // A Date before 1970 is a mistake, and an invalid one compares as false.
  if (credentials.expiration !== undefined && !(Number(credentials.expiration) > 0))
    throw invalidCredentials("expiration", "a valid Date");
  return credentials;
}

// Says nothing of what was found: it may be the secret in the wrong place.
function invalidCredentials(name: string, expected: string): DaypassError {
  return new DaypassError("INVALID_KEY", `expected credentials.${name} as ${expected}, found something else`);
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
