import { constantTimeEqual, sha256Hex } from "#crypto";
import { type DaypassError, refusal } from "./errors.ts";
import { prepareOnce } from "./key-resolver.ts";

/** The parts of an access key by the names that its provider has given them. */
export interface AccessKeyNames {
  readonly id: string;
  readonly secret: string;
  readonly token: string;
}

/** Checks the form of credentials: a misspelt property would otherwise sign with `undefined`. */
export function checkAccessKey<C extends { readonly expiration?: Date | undefined }>(
  credentials: C,
  { id, secret, token }: AccessKeyNames,
): C {
  for (const name of [id, secret, token]) {
    const value: unknown = (credentials as Partial<Record<string, unknown>> | undefined)?.[name];
    if (name === token && value === undefined) continue;
    if (typeof value !== "string" || !/^.+$/.test(value)) throw invalidCredentials(name, "a line of text");
  }
  // A Date before 1970 is a mistake, and an invalid one compares as false.
  if (credentials.expiration !== undefined && !(Number(credentials.expiration) > 0))
    throw invalidCredentials("expiration", "a valid Date");
  return credentials;
}

// The text omits the value, which may be a secret in the wrong place.
function invalidCredentials(name: string, expected: string): DaypassError {
  return refusal("INVALID_KEY", `credentials.${name} as ${expected}, found something else`);
}

/**
 * A source of prepared credentials, from either form of a signer's option. Given credentials are prepared at once, and a
 * function's result by {@link prepareOnce}.
 */
export function credentialSource<C extends object, P>(given: C | (() => C), prepare: (credentials: C) => P): () => P {
  if (typeof given === "function") {
    const prepared = prepareOnce(prepare);
    return () => prepared(given());
  }
  const prepared = prepare(given);
  return () => prepared;
}

/** Temporary credentials have three parts. The session token must be the token issued with the key. */
export function checkSession(
  token: string | undefined,
  expiration: Date | undefined,
  found: string | undefined,
  now: number,
): void {
  const agrees =
    token === undefined || found === undefined
      ? token === found
      : constantTimeEqual(sha256Hex(token), sha256Hex(found));
  if (!agrees) {
    throw refusal(
      "INVALID_TOKEN",
      `${token === undefined ? "no" : "the"} session token of this access key, found ${found === undefined ? "none" : "another"}`,
    );
  }
  if (expiration !== undefined && !(now < Number(expiration))) {
    throw refusal("EXPIRED_TOKEN", "credentials that are valid, found expired ones");
  }
}
