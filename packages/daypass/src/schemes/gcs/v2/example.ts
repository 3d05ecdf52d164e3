import { EXAMPLE_ORIGINS, IN_HOST } from "../../../core/example.ts";
import type { ExampleOptions, SchemeExample } from "../../../core/scheme.ts";
import { GCS_ACCOUNT, GCS_ACCOUNT_KEYS, GCS_HMAC_KEYS, GCS_OBJECT, GCS_VARIANTS } from "../example.ts";
import { gcsV2HmacSigner, gcsV2HmacVerifier, gcsV2Signer, gcsV2Verifier } from "./index.ts";

const endpoint = EXAMPLE_ORIGINS[0];
const common = {
  signature: /[?&]Signature=([^&]+)/,
  request: GCS_OBJECT,
  obliged: { method: "PUT", bind: { contentLength: 5 } },
  variants: GCS_VARIANTS,
};
const probe = { header: "x-goog-meta-trace", query: "generation" };
const accountVerifier = (keys: never, options: ExampleOptions) => gcsV2Verifier({ keys, ...options });
const hmacVerifier = (keys: never, options: ExampleOptions) => gcsV2HmacVerifier({ keys, ...options });

export const examples: readonly SchemeExample[] = [
  {
    name: "gcs/v2, HMAC",
    ...common,
    keys: GCS_HMAC_KEYS,
    probe: { ...probe, row: "gcs/v2" },
    signer: (clock) => gcsV2HmacSigner({ endpoint, credentials: GCS_HMAC_KEYS.right, clock }),
    verifier: hmacVerifier,
  },
  {
    name: "gcs/v2, HMAC, virtual host",
    ...common,
    ...IN_HOST,
    keys: GCS_HMAC_KEYS,
    probe: { ...probe, sameAs: "gcs/v2" },
    signer: (clock) => gcsV2HmacSigner({ endpoint, addressing: "virtual", credentials: GCS_HMAC_KEYS.right, clock }),
    verifier: hmacVerifier,
  },
  {
    name: "gcs/v2, account",
    ...common,
    keys: GCS_ACCOUNT_KEYS,
    signer: (clock) => gcsV2Signer({ endpoint, credentials: GCS_ACCOUNT, clock }),
    verifier: accountVerifier,
  },
  {
    name: "gcs/v2, account, virtual host",
    ...common,
    ...IN_HOST,
    keys: GCS_ACCOUNT_KEYS,
    probe: { ...probe, sameAs: "gcs/v2" },
    signer: (clock) => gcsV2Signer({ endpoint, addressing: "virtual", credentials: GCS_ACCOUNT, clock }),
    verifier: accountVerifier,
  },
];
