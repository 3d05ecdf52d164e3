import type { KeyResolver } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { type Keys, keyResolver } from "../../core/key-resolver.ts";

/** An access key, as used by every AWS tool. */
export interface S3Credentials {
  /** Public: it is in every URL. */
  readonly accessKeyId: string;
  /** Secret: never in a URL, a message or a log. */
  readonly secretAccessKey: string;
  /** Present with temporary credentials. */
  readonly sessionToken?: string | undefined;
  /** When temporary credentials expire: no URL signed with them lasts longer. */
  readonly expiration?: Date | undefined;
}

/**
 * Checks the form of credentials, as a misspelt property would otherwise sign with `undefined`, and copies them. Throws `INVALID_KEY`.
 */
export function checkCredentials(credentials: S3Credentials): S3Credentials {
  // A variable of the environment may be missing, and with it all of them.
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials ?? {};
  // A present variable may be empty.
  const token = sessionToken || undefined;
  // Says nothing of what was found: it may be the secret in the wrong place.
  for (const [name, value] of Object.entries({ accessKeyId, secretAccessKey, sessionToken: token ?? "-" })) {
    if (typeof value !== "string" || !/^.+$/.test(value)) throw refusal("INVALID_KEY", `${name} as a line of text`);
  }
  // A Date before 1970 is a mistake, and an invalid one compares as false.
  if (!(Number(expiration ?? 1) > 0)) throw refusal("INVALID_KEY", "expiration as Date");
  return { accessKeyId, secretAccessKey, sessionToken: token, expiration: expiration ?? undefined };
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
