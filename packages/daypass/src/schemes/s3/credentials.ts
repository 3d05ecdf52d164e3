import { checkAccessKey } from "../../core/access-key.ts";
import type { KeyResolver } from "../../core/contracts.ts";
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
  // A variable of the environment may be missing, and with it all of them. A present one may be empty.
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials ?? {};
  const copy = {
    accessKeyId,
    secretAccessKey,
    sessionToken: sessionToken || undefined,
    expiration: expiration ?? undefined,
  };
  return checkAccessKey(copy, ["accessKeyId", "secretAccessKey", "sessionToken"], credentials);
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
