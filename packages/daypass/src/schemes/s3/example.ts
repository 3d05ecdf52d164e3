import { EXAMPLE_OBJECT, EXAMPLE_ORIGINS, EXAMPLE_RESPONSE, IN_HOST } from "../../core/example.ts";
import type { ExampleKeys, ExampleOptions, SchemeExample } from "../../core/scheme.ts";
import type { S3Credentials } from "./credentials.ts";
import { s3Signer } from "./sign.ts";
import { s3Verifier } from "./verify.ts";

type S3Keys = ExampleKeys & { readonly right: S3Credentials };

const key: S3Credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };

function keys(right: S3Credentials): S3Keys {
  return {
    right,
    wrong: { ...right, secretAccessKey: "another" },
    invalid: [{ ...right, secretAccessKey: "" }, { ...right, accessKeyId: "" }, { accessKeyId: right.accessKeyId }],
    id: right.accessKeyId,
  };
}

/** A long-term key for the examples of all versions. */
export const S3_KEYS: S3Keys = keys(key);
/** A temporary key for the examples of all versions. */
export const S3_SESSION_KEYS: S3Keys = keys({
  accessKeyId: "ASIDEXAMPLE",
  secretAccessKey: "bPxRfiCYEXAMPLEKEY+wJalrXUtnFEMI/K7MDENG",
  sessionToken: "AgV4dG9rZW4+/=",
});

/** The place that all examples sign for. */
export const S3_PLACE = { region: "eu-west-1", endpoint: EXAMPLE_ORIGINS[0] as string };

const verifier = (credentials: never, options: ExampleOptions) => s3Verifier({ credentials, ...options });
const common = { signature: /X-Amz-Signature=([^&]+)/, request: EXAMPLE_OBJECT, obliged: EXAMPLE_RESPONSE, verifier };

export const examples: readonly SchemeExample[] = [
  {
    name: "s3",
    ...common,
    keys: S3_KEYS,
    futureSkew: 900,
    probe: {},
    variants: [
      { query: { x: ["2", "1"], "x-id": "GetObject" } },
      { method: "PUT", headers: { "if-none-match": "*", "x-amz-checksum-crc32": "AAAAAA==" } },
    ],
    signer: (clock) => s3Signer({ ...S3_PLACE, credentials: S3_KEYS.right, clock }),
  },
  {
    name: "s3, virtual host, session",
    ...common,
    ...IN_HOST,
    keys: S3_SESSION_KEYS,
    probe: { sameAs: "s3" },
    signer: (clock) => s3Signer({ ...S3_PLACE, addressing: "virtual", credentials: S3_SESSION_KEYS.right, clock }),
  },
];
