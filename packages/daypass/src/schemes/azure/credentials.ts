import { hmacSha256, type PreparedHmac } from "#crypto";
import { refusal } from "../../core/errors.ts";
import { fromBase64, macBase64 } from "../../wire/encoding.ts";
import { formatAzureTime, parseAzureTime, type SasValues } from "./sas.ts";

/** One of the two keys of a storage account. */
export interface AzureSharedKey {
  /** base64, as in the portal and in connection strings. */
  readonly accountKey: string;
  /** When the key will be replaced, if known: no URL signed with it lasts longer. */
  readonly expiration?: Date | undefined;
}

/** A key that Entra ID lends, with the names of \@azure/storage-blob's `getUserDelegationKey`. Times may be text, as in JSON. */
export interface AzureUserDelegationKey {
  /** Who the key was lent to: an object id of Entra ID. */
  readonly signedObjectId: string;
  /** The tenant of `signedObjectId`. */
  readonly signedTenantId: string;
  /** First instant at which the key is valid, to the second. */
  readonly signedStartsOn: Date | string;
  /** When the key expires, to the second: no URL signed with it lasts longer. */
  readonly signedExpiresOn: Date | string;
  /** `b` for blobs. */
  readonly signedService: string;
  /** The version of the service that lent the key, such as `2022-11-02`. */
  readonly signedVersion: string;
  /** The tenant of the user that the key is for, if it is for one. */
  readonly signedDelegatedUserTenantId?: string | undefined;
  /** base64 */
  readonly value: string;
}

/** A user delegation key as credentials. */
export interface AzureDelegatedKey {
  readonly userDelegationKey: AzureUserDelegationKey;
  /** If set, the earlier of it and the key's `signedExpiresOn` applies. */
  readonly expiration?: Date | undefined;
}

/** A given secret and its expiry. */
export interface SasKey {
  readonly key: string;
  readonly expiration?: Date | undefined;
}

/** The secret and expiry of an account key. */
export function readSharedKey({ accountKey, expiration }: AzureSharedKey): SasKey {
  return { key: accountKey, expiration };
}

/** The secret and expiry of a user delegation key. Sets the parameters that name the key. */
export function readDelegatedKey({ userDelegationKey, expiration }: AzureDelegatedKey, values: SasValues): SasKey {
  setDelegationValues(userDelegationKey, values);
  const end = parseAzureTime(values.ske) as Date;
  // Written so that an invalid date is left to be refused.
  return { key: userDelegationKey.value, expiration: !expiration || end < expiration ? end : expiration };
}

/** Prepares keys and remembers the last: most signatures are made with the key of the one before. */
export function preparedKeys(): (key: string) => PreparedHmac {
  let last: string | undefined;
  let prepared: PreparedHmac | undefined;
  return (key) => {
    if (prepared === undefined || last !== key) prepared = prepareKey(key);
    last = key;
    return prepared;
  };
}

/** An HMAC key from the base64 of an account key or of a user delegation key's value. */
export function prepareKey(key: string): PreparedHmac {
  // What is no text is not the base64 of anything either.
  const bytes = fromBase64(key);
  if (bytes?.length) return hmacSha256(bytes);
  throw refusal("INVALID_KEY", "accountKey is not padded base64. Copy the whole key");
}

/** What a URL names its user delegation key by: each parameter with the part of the key. */
export const DELEGATED_PARTS = [
  ["skoid", "signedObjectId"],
  ["sktid", "signedTenantId"],
  ["skt", "signedStartsOn"],
  ["ske", "signedExpiresOn"],
  ["sks", "signedService"],
  ["skv", "signedVersion"],
  ["skdutid", "signedDelegatedUserTenantId"],
] as const;

/** Whether a part of a user delegation key is a time. */
export function isTimePart(part: string): boolean {
  return part.endsWith("On");
}

/** Sets the parameters that name a user delegation key. */
export function setDelegationValues(key: AzureUserDelegationKey, values: SasValues): SasValues {
  for (const [parameter, part] of DELEGATED_PARTS) {
    const value = key?.[part];
    if (parameter === "skdutid" && !value) continue;
    const text = isTimePart(part) ? timeText(value) : value;
    if (typeof text !== "string" || !/^[\x21-\x7e]+$/.test(text)) {
      throw refusal(
        "INVALID_KEY",
        `userDelegationKey.${part} is not text or a Date. Pass the whole key that Azure returned`,
      );
    }
    values[parameter] = text;
  }
  return values;
}

function timeText(time: Date | string | undefined): string | undefined {
  const date = new Date(time || Number.NaN);
  return date.getTime() ? formatAzureTime(date) : undefined;
}

/** base64 of the HMAC-SHA256 over a string to sign. */
export function azureSignature(key: PreparedHmac, stringToSign: string): string {
  return macBase64(key.base64url(stringToSign));
}
