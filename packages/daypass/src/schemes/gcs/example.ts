import { EXAMPLE_ORIGINS, EXAMPLE_RESPONSE, IN_HOST } from "../../core/example.ts";
import { FOREIGN_PUBLIC_KEY, RSA_PAIR } from "../../core/example-keys.ts";
import type { ExampleKeys, ExampleOptions, SchemeExample } from "../../core/scheme.ts";
import type { GcsHmacKey, GcsServiceAccount } from "./credentials.ts";
import { gcsHmacSigner, gcsSigner } from "./sign.ts";
import { gcsHmacVerifier, gcsVerifier } from "./verify.ts";

const hmac: GcsHmacKey = { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ" };

/** An HMAC key for the examples of all versions. */
export const GCS_HMAC_KEYS: ExampleKeys & { readonly right: GcsHmacKey } = {
  right: hmac,
  wrong: { ...hmac, secretAccessKey: "another" },
  invalid: [
    { ...hmac, secretAccessKey: "" },
    { ...hmac, accessKeyId: "" },
  ],
  id: hmac.accessKeyId,
};

/** A service account for the examples of all versions, and the keys of its verifier. */
export const GCS_ACCOUNT: GcsServiceAccount = {
  client_email: "example@project.iam.gserviceaccount.com",
  private_key: RSA_PAIR.privateKey,
};
const account = { client_email: GCS_ACCOUNT.client_email, public_key: RSA_PAIR.publicKey };
export const GCS_ACCOUNT_KEYS: ExampleKeys = {
  right: account,
  wrong: { ...account, public_key: FOREIGN_PUBLIC_KEY },
  invalid: [
    { ...account, public_key: "" },
    { ...account, client_email: "" },
  ],
  id: account.client_email,
};

/** The object that all examples sign. */
export const GCS_OBJECT = { bucket: "media", object: "talks/keynote.mp4" };
/** Requests with bindings that both versions have. */
export const GCS_VARIANTS: readonly object[] = [
  { method: "PUT", bind: { contentType: "image/png", contentLength: { max: 9 } } },
  { method: "PUT", headers: { "x-goog-if-generation-match": "0", "x-goog-acl": "private" } },
  { method: "POST", headers: { "x-goog-resumable": "start" } },
];

const endpoint = EXAMPLE_ORIGINS[0];
const common = {
  signature: /X-Goog-Signature=([^&]+)/,
  request: GCS_OBJECT,
  obliged: EXAMPLE_RESPONSE,
  futureSkew: 900,
};
const accountVerifier = (keys: never, options: ExampleOptions) => gcsVerifier({ keys, ...options });
const hmacVerifier = (keys: never, options: ExampleOptions) => gcsHmacVerifier({ keys, ...options });
const variants = [
  ...GCS_VARIANTS,
  { query: { generation: "1", userProject: "p+1" } },
  { method: "PUT", headers: { "x-goog-hash": "crc32c=AAAAAA==", range: "bytes=0-1", "x-goog-meta-empty": "" } },
];
const buckets = { [EXAMPLE_ORIGINS[0]]: "media", [EXAMPLE_ORIGINS[1]]: "media" };

export const examples: readonly SchemeExample[] = [
  {
    name: "gcs, HMAC",
    ...common,
    keys: GCS_HMAC_KEYS,
    variants,
    probe: { row: "gcs" },
    signer: (clock) => gcsHmacSigner({ endpoint, credentials: hmac, clock }),
    verifier: hmacVerifier,
  },
  {
    name: "gcs, HMAC, virtual host",
    ...common,
    ...IN_HOST,
    keys: GCS_HMAC_KEYS,
    probe: { sameAs: "gcs" },
    signer: (clock) => gcsHmacSigner({ endpoint, addressing: "virtual", credentials: hmac, clock }),
    verifier: hmacVerifier,
  },
  {
    name: "gcs, account",
    ...common,
    keys: GCS_ACCOUNT_KEYS,
    variants,
    signer: (clock) => gcsSigner({ endpoint, credentials: GCS_ACCOUNT, clock }),
    verifier: accountVerifier,
  },
  {
    name: "gcs, account, virtual host",
    ...common,
    ...IN_HOST,
    keys: GCS_ACCOUNT_KEYS,
    probe: { sameAs: "gcs" },
    signer: (clock) => gcsSigner({ endpoint, addressing: "virtual", credentials: GCS_ACCOUNT, clock }),
    verifier: accountVerifier,
  },
  {
    name: "gcs, account, bucket-bound",
    ...common,
    keys: GCS_ACCOUNT_KEYS,
    probe: { sameAs: "gcs" },
    signer: (clock) => gcsSigner({ endpoint, addressing: "bucket-bound", credentials: GCS_ACCOUNT, clock }),
    verifier: (keys, options) => gcsVerifier({ keys, buckets, ...options }),
  },
];
