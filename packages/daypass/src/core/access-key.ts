import { secretFault } from "#advice";
import { constantTimeEqual, sha256Hex } from "#crypto";
import { refusal } from "./errors.ts";
import { prepareOnce } from "./key-resolver.ts";

/**
 * Checks the form of credentials: a misspelt property would otherwise sign with `undefined`. No error shows a value: it may be a secret in
 * the wrong place.
 *
 * @param given what the caller passed: `credentials` may be a copy of it
 */
export function checkAccessKey<C extends { readonly expiration?: Date | undefined }>(
  credentials: C,
  names: readonly [id: string, secret: string, token: string],
  given: unknown,
): C {
  for (const name of names) {
    const value: unknown = Object(credentials)[name];
    const isAbsent = name === names[2] && value === undefined;
    if (!isAbsent && (typeof value !== "string" || !/^.+$/.test(value))) {
      const option = `credentials.${name}`;
      const fault =
        secretFault("credentials", given) ?? secretFault(option, value) ?? `${option} is not one line of text`;
      throw refusal("INVALID_KEY", fault);
    }
  }
  // A Date before 1970 is a mistake, and an invalid one compares as false.
  if (!(Number(credentials.expiration ?? 1) > 0))
    throw refusal("INVALID_KEY", "credentials.expiration is not a valid Date");
  return credentials;
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
      `the session token ${found === undefined ? "is missing" : "does not belong to the access key"}`,
    );
  }
  if (expiration !== undefined && !(now < Number(expiration))) {
    throw refusal("EXPIRED_TOKEN", "the credentials have expired");
  }
}
