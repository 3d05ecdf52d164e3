import { EXAMPLE_OBJECT, EXAMPLE_RESPONSE, IN_HOST } from "../../../core/example.ts";
import type { ExampleOptions, SchemeExample } from "../../../core/scheme.ts";
import { S3_KEYS, S3_PLACE, S3_SESSION_KEYS } from "../example.ts";
import { s3V2Signer, s3V2Verifier } from "./index.ts";

const verifier = (credentials: never, options: ExampleOptions) => s3V2Verifier({ credentials, ...options });
const common = { signature: /[?&]Signature=([^&]+)/, request: EXAMPLE_OBJECT, obliged: EXAMPLE_RESPONSE, verifier };
const probe = { header: "x-amz-meta-trace", query: "versionId" };

export const examples: readonly SchemeExample[] = [
  {
    name: "s3/v2",
    ...common,
    keys: S3_KEYS,
    probe,
    signer: (clock) => s3V2Signer({ ...S3_PLACE, credentials: S3_KEYS.right, clock }),
  },
  {
    name: "s3/v2, virtual host, session",
    ...common,
    ...IN_HOST,
    keys: S3_SESSION_KEYS,
    probe: { ...probe, sameAs: "s3/v2" },
    signer: (clock) => s3V2Signer({ ...S3_PLACE, addressing: "virtual", credentials: S3_SESSION_KEYS.right, clock }),
  },
];
