import { hmacSha256, type PreparedHmac } from "#crypto";
import { fromBase64 } from "../encode.ts";
import { refusal } from "../errors.ts";
import { formatAzureTime } from "./time.ts";

/** One of the two keys of a storage account. */
export interface AzureSharedKey {
  /** base64, as the portal and connection strings have it. */
  readonly accountKey: string;
  /** When the key is known to be replaced: no URL made with it lives longer. */
  readonly expiration?: Date | undefined;
}

/** A key that Entra ID lends, with the names of \@azure/storage-blob's `getUserDelegationKey`. Times may be text, as in JSON. */
export interface AzureUserDelegationKey {
  readonly signedObjectId: string;
  readonly signedTenantId: string;
  readonly signedStartsOn: Date | string;
  readonly signedExpiresOn: Date | string;
  readonly signedService: string;
  readonly signedVersion: string;
  readonly signedDelegatedUserTenantId?: string | undefined;
  /** base64 */
  readonly value: string;
}

/** A user delegation key as credentials. */
export interface AzureDelegatedKey {
  readonly userDelegationKey: AzureUserDelegationKey;
  /** Where it is given, the earlier of it and the key's `signedExpiresOn` counts. */
  readonly expiration?: Date | undefined;
}

/** Checks an account key. Says nothing of what was found: it may be the secret in the wrong form. */
export function checkSharedKey<C extends AzureSharedKey>(credentials: C): C {
  prepareKey(credentials.accountKey);
  return credentials;
}

/** Checks a user delegation key, its value included. */
export function checkDelegatedKey<C extends AzureDelegatedKey>(credentials: C): C {
  delegationValues(credentials.userDelegationKey);
  prepareKey(credentials.userDelegationKey.value);
  return credentials;
}

/** Prepares keys and remembers the last: most signatures are made with the key of the one before. */
export function preparedKeys(): (key: string) => PreparedHmac {
  let last: { readonly key: string; readonly prepared: PreparedHmac } | undefined;
  return (key) => {
    if (last?.key !== key) last = { key, prepared: prepareKey(key) };
    return last.prepared;
  };
}

/** An HMAC key from the base64 of an account key or of a user delegation key's value. */
export function prepareKey(key: string): PreparedHmac {
  const bytes = typeof key === "string" ? fromBase64(key) : undefined;
  if (bytes?.length) return hmacSha256(bytes);
  throw refusal(
    "INVALID_KEY",
    "accountKey or userDelegationKey.value as base64 with exact padding, found another text",
  );
}

/** The parameters by which a URL names its user delegation key, in the order of the string to sign. */
export function delegationValues(key: AzureUserDelegationKey): readonly (readonly [name: string, value: string])[] {
  return [
    ["skoid", text(key, "signedObjectId")],
    ["sktid", text(key, "signedTenantId")],
    ["skt", time(key, "signedStartsOn")],
    ["ske", time(key, "signedExpiresOn")],
    ["sks", text(key, "signedService")],
    ["skv", text(key, "signedVersion")],
    ...(key.signedDelegatedUserTenantId ? [["skdutid", text(key, "signedDelegatedUserTenantId")] as const] : []),
  ];
}

function text(key: AzureUserDelegationKey, name: keyof AzureUserDelegationKey): string {
  const value = key[name];
  if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) return value;
  throw refusal("INVALID_KEY", `userDelegationKey.${name} as text, found something else`);
}

function time(key: AzureUserDelegationKey, name: "signedStartsOn" | "signedExpiresOn"): string {
  const date = new Date(key[name]);
  if (key[name] && !Number.isNaN(date.getTime())) return formatAzureTime(date);
  throw refusal("INVALID_KEY", `userDelegationKey.${name} as a Date or its text, found something else`);
}

/** base64 of the HMAC-SHA256 over a string to sign. */
export function azureSignature(key: PreparedHmac, stringToSign: string): string {
  return `${key.base64url(stringToSign).replaceAll("-", "+").replaceAll("_", "/")}=`;
}
