import { EXAMPLE_OBJECT, EXAMPLE_RESPONSE, IN_HOST } from "../../../core/example.ts";
import type { SchemeExample } from "../../../core/scheme.ts";
import { S3_PLACE, S3_SESSION_KEYS } from "../example.ts";
import { s3ExpressSigner, s3ExpressVerifier } from "./index.ts";

const { right, invalid } = S3_SESSION_KEYS;

export const examples: readonly SchemeExample[] = [
  {
    name: "s3/express",
    signature: /X-Amz-Signature=([^&]+)/,
    obliged: EXAMPLE_RESPONSE,
    probe: {},
    keys: { ...S3_SESSION_KEYS, invalid: [...invalid, { ...right, sessionToken: "" }] },
    ...IN_HOST,
    otherOrigin: "https://media--use1-az4--x-s3.other.example.com",
    request: { ...EXAMPLE_OBJECT, bucket: "media--use1-az4--x-s3" },
    futureSkew: 900,
    signer: (clock) => s3ExpressSigner({ ...S3_PLACE, credentials: right, clock }),
    verifier: (credentials, options) => s3ExpressVerifier({ credentials, ...options }),
  },
];
