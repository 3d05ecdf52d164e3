import type { AzureUserDelegationKey } from "daypass/azure";
import { type FieldKind, type Fields, fields, nested, text } from "./fields.ts";

const DELEGATION: Readonly<Record<keyof AzureUserDelegationKey, FieldKind>> = {
  ...{ signedObjectId: text, signedTenantId: text, signedStartsOn: text, signedExpiresOn: text },
  ...{ signedService: text, signedVersion: text, signedDelegatedUserTenantId: text, value: text },
};

const SHARED = { accountKey: text, expiration: text };
const DELEGATED = { userDelegationKey: nested(fields(DELEGATION)), expiration: text };

/** `credentials` of a line to sign. */
export const SHARED_KEY: FieldKind = nested(fields(SHARED));
export const DELEGATED_KEY: FieldKind = nested(fields(DELEGATED));

/** Either kind of key with its account, as an entry to verify has it. */
export const ACCOUNT_KEY: Fields = fields({ account: text, ...SHARED, ...DELEGATED });
