import { EXAMPLE_LENGTH } from "../../../core/example.ts";
import type { SchemeExample } from "../../../core/scheme.ts";
import { GCS_ACCOUNT, GCS_ACCOUNT_KEYS, GCS_HMAC_KEYS, GCS_OBJECT } from "../example.ts";
import { gcsFormSigner, gcsFormVerifier, gcsHmacFormSigner, gcsHmacFormVerifier } from "./index.ts";

const common = { signature: /^x-goog-signature$/, request: GCS_OBJECT, obliged: EXAMPLE_LENGTH };

export const examples: readonly SchemeExample[] = [
  {
    name: "gcs/form, HMAC",
    ...common,
    keys: GCS_HMAC_KEYS,
    signer: (clock) => gcsHmacFormSigner({ credentials: GCS_HMAC_KEYS.right, clock }),
    verifier: (keys, options) => gcsHmacFormVerifier({ keys, ...options }),
  },
  {
    name: "gcs/form, account",
    ...common,
    keys: GCS_ACCOUNT_KEYS,
    signer: (clock) => gcsFormSigner({ credentials: GCS_ACCOUNT, clock }),
    verifier: (keys, options) => gcsFormVerifier({ keys, ...options }),
  },
];
