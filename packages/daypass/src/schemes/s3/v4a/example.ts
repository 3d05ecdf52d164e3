import { EXAMPLE_OBJECT, EXAMPLE_RESPONSE, IN_HOST } from "../../../core/example.ts";
import type { ExampleOptions, SchemeExample } from "../../../core/scheme.ts";
import { S3_KEYS, S3_PLACE, S3_SESSION_KEYS } from "../example.ts";
import { s3V4aSigner, s3V4aVerifier } from "./index.ts";

const verifier = (credentials: never, options: ExampleOptions) => s3V4aVerifier({ credentials, ...options });
const common = { signature: /X-Amz-Signature=([^&]+)/, request: EXAMPLE_OBJECT, obliged: EXAMPLE_RESPONSE, verifier };
const { endpoint } = S3_PLACE;

export const examples: readonly SchemeExample[] = [
  {
    name: "s3/v4a",
    ...common,
    keys: S3_KEYS,
    futureSkew: 900,
    probe: {},
    signer: (clock) => s3V4aSigner({ endpoint, regionSet: ["*"], credentials: S3_KEYS.right, clock }),
  },
  {
    name: "s3/v4a, virtual host, session",
    ...common,
    ...IN_HOST,
    keys: S3_SESSION_KEYS,
    probe: { sameAs: "s3/v4a" },
    signer(clock) {
      const place = { endpoint, addressing: "virtual", regionSet: ["us-east-1", "eu-*"] } as const;
      return s3V4aSigner({ ...place, credentials: S3_SESSION_KEYS.right, clock });
    },
  },
];
