import { EXAMPLE_ORIGINS, EXAMPLE_RESPONSE, EXAMPLE_TIME } from "../../core/example.ts";
import type { ExampleOptions, ExampleProbe, SchemeExample } from "../../core/scheme.ts";
import {
  azureAccountSigner,
  azureAccountVerifier,
  azureSigner,
  azureUserDelegationSigner,
  azureUserDelegationVerifier,
  azureVerifier,
} from "./index.ts";

const ONE = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const TWO = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
const account = "myaccount";
const place = { account, endpoint: `${EXAMPLE_ORIGINS[0]}/${account}` };
const hosted = { account, endpoint: `https://${account}.blob.example.com` };
const IN_HOST: Pick<SchemeExample, "origins" | "otherOrigin"> = {
  origins: ["https://*.blob.example.com", "https://*.blob.example.org"],
  otherOrigin: `https://${account}.blob.example.org`,
};
const shared = { accountKey: ONE };
const SHARED_KEYS = {
  right: { account, accountKey: ONE },
  wrong: { account, accountKey: TWO },
  invalid: [
    { account, accountKey: "" },
    { account: "", accountKey: ONE },
  ],
};
const delegation = (value: string) => ({
  signedObjectId: "o",
  signedTenantId: "t",
  signedService: "b",
  signedVersion: "2022-11-02",
  signedStartsOn: "2026-01-01T00:00:00Z",
  signedExpiresOn: "2026-01-08T00:00:00Z",
  value,
});
const delegated = (value: string) => ({ account, userDelegationKey: delegation(value) });
const DELEGATED_KEYS = { right: delegated(ONE), wrong: delegated(TWO), invalid: [delegated("")] };

const BLOB = "talks/keynote.mp4";
const request = { container: "media", blob: BLOB, permissions: "r" };
const signature = /[?&]sig=([^&]+)/;
/** Azure signs permissions and no method. A prefix takes the place of the blob. */
const probe: ExampleProbe = {
  request: ({ method = "GET", prefix, ...constraints }) => ({
    ...constraints,
    method,
    permissions: method === "PUT" ? "cw" : "r",
    ...(prefix === undefined ? { blob: BLOB } : { prefix, blob: undefined }),
  }),
  prefix: { value: "talks/", elsewhere: (url) => url.replace("/talks?", "/talks/another?") },
};
const time = "2026-01-01T00:00:00.1234567Z";
const variants = [
  { permissions: "cw", notBefore: EXAMPLE_TIME },
  { blob: undefined },
  { blob: undefined, prefix: "talks/2026" },
  { permissions: "d", protocol: "https" },
  { bind: { ip: "203.0.113.0/24" } },
  { snapshot: time },
  { versionId: time },
  { permissions: "cw", encryptionScope: "scope" },
  {
    response: { contentType: "text/plain", contentDisposition: 'attachment; filename="a b"', cacheControl: "no-store" },
  },
];
const serviceVerifier = (credentials: never, options: ExampleOptions) => azureVerifier({ credentials, ...options });
const delegationVerifier = (credentials: never, options: ExampleOptions) =>
  azureUserDelegationVerifier({ credentials, ...options });

export const examples: readonly SchemeExample[] = [
  {
    name: "azure",
    keys: SHARED_KEYS,
    signature,
    request,
    obliged: EXAMPLE_RESPONSE,
    variants,
    probe,
    signer: (clock) => azureSigner({ ...place, credentials: shared, clock }),
    verifier: serviceVerifier,
  },
  {
    name: "azure, account in the host",
    keys: SHARED_KEYS,
    signature,
    request,
    variants,
    ...IN_HOST,
    probe: { ...probe, sameAs: "azure" },
    signer: (clock) => azureSigner({ ...hosted, credentials: shared, clock }),
    verifier: serviceVerifier,
  },
  ...["2015-04-05", "2019-12-12"].map(
    (version): SchemeExample => ({
      name: `azure, ${version}`,
      keys: SHARED_KEYS,
      signature,
      request,
      variants,
      signer: (clock) => azureSigner({ ...place, version, credentials: shared, clock }),
      verifier: serviceVerifier,
    }),
  ),
  {
    name: "azure, permissions of a stored policy",
    keys: SHARED_KEYS,
    signature,
    request: { ...request, permissions: undefined, identifier: "p" },
    probe: {
      ...probe,
      sameAs: "azure",
      request: (constraints) => ({ ...probe.request?.(constraints), permissions: undefined }),
    },
    signer: (clock) => azureSigner({ ...place, credentials: shared, clock }),
    verifier: (credentials, options) =>
      azureVerifier({ credentials, policies: () => ({ permissions: "rcw" }), ...options }),
  },
  {
    name: "azure, account",
    keys: SHARED_KEYS,
    signature,
    probe,
    anyPathBelow: true,
    request: { ...request, resourceTypes: "o" },
    signer: (clock) => azureAccountSigner({ ...place, credentials: shared, clock }),
    verifier: (credentials, options) => azureAccountVerifier({ credentials, ...options }),
  },
  {
    name: "azure, user delegation",
    keys: DELEGATED_KEYS,
    signature,
    request,
    probe,
    variants: [
      ...variants,
      { preauthorizedAgentObjectId: "a", correlationId: "c" },
      { delegatedUserObjectId: "cus_42" },
      {
        permissions: "cw",
        bind: {
          contentType: "image/png",
          headers: { "x-ms-Tenant": "a, b" },
          query: { lang: "de", tenant: "a b&c" },
        },
      },
    ],
    signer: (clock) => azureUserDelegationSigner({ ...place, credentials: DELEGATED_KEYS.right, clock }),
    verifier: delegationVerifier,
  },
  {
    name: "azure, user delegation, newest version",
    keys: DELEGATED_KEYS,
    signature,
    request,
    probe: { ...probe, sameAs: "azure, user delegation" },
    signer: (clock) =>
      azureUserDelegationSigner({ ...place, version: "2026-10-06", credentials: DELEGATED_KEYS.right, clock }),
    verifier: delegationVerifier,
  },
];
