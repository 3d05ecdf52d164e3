import type { AzureUserDelegationKey } from "daypass/azure";

export const AT = new Date("2026-01-02T03:04:05Z");
export const ACCOUNT = "myaccount";
export const ORIGIN = "https://myaccount.blob.core.windows.net";
export const CREDENTIALS = { accountKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" };
export const OTHER_KEY = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

export const DELEGATION_KEY: AzureUserDelegationKey = {
  signedObjectId: "11111111-1111-1111-1111-111111111111",
  signedTenantId: "22222222-2222-2222-2222-222222222222",
  signedStartsOn: new Date("2026-01-02T00:00:00Z"),
  signedExpiresOn: new Date("2026-01-03T00:00:00Z"),
  signedService: "b",
  signedVersion: "2022-11-02",
  value: "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=",
};
