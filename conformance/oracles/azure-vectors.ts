import type { AzureWish } from "../random/azure-wishes.ts";
import { sdkUrl } from "./azure-sdk.ts";

/** A worked example: what was wished for, and the URL that Azure's SDK made of it. */
export interface AzureVector {
  readonly name: string;
  readonly wish: AzureWish;
  readonly url: string;
}

const signedAt = new Date("2026-01-02T03:04:05Z");
const base = {
  account: "myaccount",
  endpoint: "https://myaccount.blob.core.windows.net",
  accountKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==",
  signedAt,
  expiresOn: new Date("2026-01-02T04:04:05.678Z"),
  response: {},
};
const full = {
  ...base,
  startsOn: new Date("2026-01-02T03:04:05Z"),
  ip: "203.0.113.0-203.0.113.255",
  protocol: "https",
} as const;
const blob = { container: "media", blob: "talks/key note+1%.mp4", permissions: "racwd" };
const response = {
  cacheControl: "max-age=60, private",
  contentDisposition: "attachment; filename=\"a b.mp4\"; filename*=UTF-8''%C3%A9.mp4",
  contentEncoding: "identity",
  contentLanguage: "de, en",
  contentType: "video/mp4",
};
const userDelegationKey = {
  signedObjectId: "11111111-1111-1111-1111-111111111111",
  signedTenantId: "22222222-2222-2222-2222-222222222222",
  signedStartsOn: new Date("2026-01-02T00:00:00Z"),
  signedExpiresOn: new Date("2026-01-03T00:00:00Z"),
  signedService: "b",
  signedVersion: "2022-11-02",
  value: "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=",
};
const agent = {
  preauthorizedAgentObjectId: "33333333-3333-3333-3333-333333333333",
  correlationId: "44444444-4444-4444-4444-444444444444",
};
const person = {
  userDelegationKey: { ...userDelegationKey, signedDelegatedUserTenantId: "55555555-5555-5555-5555-555555555555" },
  delegatedUserObjectId: "66666666-6666-6666-6666-666666666666",
};
const encryptionScope = "scope-1";
const time = "2026-01-01T00:00:00.1234567Z";

/** At least one wish for each row of fields, on both sides of each change. */
const WISHES: readonly (AzureWish & { readonly name: string })[] = [
  ...["2015-04-05", "2018-03-28", "2018-11-09", "2020-10-02"].map((version) => ({
    ...{ name: `service, a blob, ${version}`, kind: "service" as const, version, ...full, ...blob, response },
  })),
  ...["2020-12-06", "2022-11-02", "2026-04-06", "2026-10-06"].map((version) => ({
    ...{ name: `service, a blob, ${version}`, kind: "service" as const, version, ...full, ...blob, response },
    encryptionScope,
  })),
  { name: "service, only what is needed", kind: "service", version: "2022-11-02", ...base, ...blob },
  {
    ...{ name: "service, a container", kind: "service", version: "2022-11-02", ...base },
    ...{ container: "media", permissions: "racwdxltmeiyf" },
  },
  {
    ...{ name: "service, a snapshot", kind: "service", version: "2018-11-09", ...base, ...blob },
    ...{ permissions: "r", snapshot: time },
  },
  {
    ...{ name: "service, a version", kind: "service", version: "2019-10-10", ...base, ...blob },
    ...{ permissions: "rx", versionId: time },
  },
  {
    ...{ name: "service, a directory", kind: "service", version: "2020-02-10", ...base },
    ...{ container: "media", directory: "talks/2026", permissions: "rl" },
  },
  {
    ...{ name: "service, all from a stored policy", kind: "service", version: "2022-11-02", ...base, ...blob },
    ...{ identifier: "read-until-friday", permissions: undefined, expiresOn: undefined },
  },
  {
    ...{ name: "service, the end from a stored policy", kind: "service", version: "2015-04-05", ...base, ...blob },
    ...{ identifier: "p", permissions: "r", expiresOn: undefined },
  },
  {
    ...{ name: "service, Azurite's address", kind: "service", version: "2022-11-02", ...base, ...blob },
    ...{ account: "devstoreaccount1", endpoint: "http://127.0.0.1:10000/devstoreaccount1" },
  },
  ...["2015-04-05", "2020-10-02"].map((version) => ({
    ...{ name: `account, ${version}`, kind: "account" as const, version, ...full },
    ...{ permissions: "rwdlacup", services: "btqf", resourceTypes: "sco" },
  })),
  ...["2020-12-06", "2026-04-06", "2026-10-06"].map((version) => ({
    ...{ name: `account, ${version}`, kind: "account" as const, version, ...full, ...blob, encryptionScope },
    ...{ permissions: "rwdxftlacupiy", services: "b", resourceTypes: "o" },
  })),
  ...["2018-11-09", "2019-12-12"].map((version) => ({
    ...{ name: `user delegation, ${version}`, kind: "user-delegation" as const, version, ...full, ...blob, response },
    userDelegationKey,
  })),
  ...["2020-02-10", "2020-10-02"].map((version) => ({
    ...{ name: `user delegation, ${version}`, kind: "user-delegation" as const, version, ...full, ...blob, response },
    ...{ userDelegationKey, ...agent },
  })),
  ...["2020-12-06", "2025-05-05"].map((version) => ({
    ...{ name: `user delegation, ${version}`, kind: "user-delegation" as const, version, ...full, ...blob, response },
    ...{ userDelegationKey, ...agent, encryptionScope },
  })),
  ...["2025-07-05", "2026-02-06"].map((version) => ({
    ...{ name: `user delegation, ${version}`, kind: "user-delegation" as const, version, ...full, ...blob, response },
    ...{ ...agent, ...person, encryptionScope },
  })),
  ...["2026-04-06", "2026-10-06"].map((version) => ({
    ...{ name: `user delegation, ${version}`, kind: "user-delegation" as const, version, ...full, ...blob, response },
    ...{ ...agent, ...person, encryptionScope },
    headers: { "Content-Type": "video/mp4", "x-ms-meta-Owner": "a, b" },
    query: { timeout: "30", tenant: "a b+c=d&e:f" },
  })),
  {
    ...{
      name: "user delegation, only what is needed",
      kind: "user-delegation",
      version: "2026-04-06",
      ...base,
      ...blob,
    },
    userDelegationKey,
  },
  {
    ...{
      name: "user delegation, a directory",
      kind: "user-delegation",
      version: "2020-02-10",
      ...base,
      userDelegationKey,
    },
    ...{ container: "media", directory: "talks", permissions: "racwdlmeop" },
    agentObjectId: "77777777-7777-7777-7777-777777777777",
  },
  {
    ...{
      name: "user delegation, a directory, 2026-10-06",
      kind: "user-delegation",
      version: "2026-10-06",
      ...base,
      ...person,
    },
    ...{ container: "media", directory: "talks/2026", permissions: "rl", encryptionScope },
    headers: { "x-ms-client-request-id": "a" },
    query: { timeout: "30" },
  },
];

/** What the SDKs sign now. Dates become text, as in a file. */
export function azureVectors(): readonly AzureVector[] {
  return WISHES.map(({ name, ...wish }) => ({ name, wish, url: sdkUrl(wish) }));
}
