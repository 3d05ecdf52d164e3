import { EXAMPLE_LENGTH, EXAMPLE_OBJECT } from "../../../../core/example.ts";
import type { ExampleOptions, SchemeExample } from "../../../../core/scheme.ts";
import { S3_KEYS, S3_SESSION_KEYS } from "../../example.ts";
import { s3FormV2Signer, s3FormV2Verifier } from "./index.ts";

const region = "eu-west-1";
const verifier = (credentials: never, options: ExampleOptions) => s3FormV2Verifier({ credentials, ...options });
const common = { signature: /^signature$/, request: EXAMPLE_OBJECT, obliged: EXAMPLE_LENGTH, verifier };

export const examples: readonly SchemeExample[] = [
  {
    name: "s3/form/v2",
    ...common,
    keys: S3_KEYS,
    signer: (clock) => s3FormV2Signer({ region, credentials: S3_KEYS.right, clock }),
  },
  {
    name: "s3/form/v2, session",
    ...common,
    keys: S3_SESSION_KEYS,
    signer: (clock) => s3FormV2Signer({ region, credentials: S3_SESSION_KEYS.right, clock }),
  },
];
