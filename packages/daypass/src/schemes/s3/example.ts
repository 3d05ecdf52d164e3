import { EXAMPLE_OBJECT, EXAMPLE_ORIGINS, EXAMPLE_RESPONSE } from "../../core/example.ts";
import type { ExampleKeys, ExampleProbe, SchemeExample } from "../../core/scheme.ts";
import type { S3Credentials } from "./credentials.ts";
import { s3Signer } from "./sign.ts";
import { s3Verifier } from "./verify.ts";

const key: S3Credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };

/** Keys of AWS's schemes, with these credentials. */
function keys(right: S3Credentials): ExampleKeys & { readonly right: S3Credentials } {
  return {
    right,
    wrong: { ...right, secretAccessKey: "another" },
    invalid: [{ ...right, secretAccessKey: "" }, { ...right, accessKeyId: "" }, { accessKeyId: right.accessKeyId }],
    id: right.accessKeyId,
  };
}

/** Long-term and temporary keys for the examples of all versions. */
export const S3_KEYS: ExampleKeys & { readonly right: S3Credentials } = keys(key);
export const S3_SESSION_KEYS: ExampleKeys & { readonly right: S3Credentials } = keys({
  ...key,
  sessionToken: "AgV4dG9rZW4+/=",
});

/** Members of an example whose bucket stands in the host. */
export const IN_HOST: Pick<SchemeExample, "origins" | "otherOrigin"> = {
  origins: ["https://*.media.example.com", "https://*.other.example.com"],
  otherOrigin: "https://media.other.example.com",
};

const common = { signature: /X-Amz-Signature=([^&]+)/, request: EXAMPLE_OBJECT, obliged: EXAMPLE_RESPONSE };
const endpoint = EXAMPLE_ORIGINS[0];
const probe: ExampleProbe = {};

export const examples: readonly SchemeExample[] = [
  {
    ...{ name: "s3", keys: S3_KEYS, ...common, futureSkew: 900, probe },
    signer: (clock) => s3Signer({ region: "eu-west-1", endpoint, credentials: S3_KEYS.right, clock }),
    verifier: (credentials, options) => s3Verifier({ credentials, ...options }),
  },
  {
    ...{ name: "s3, session, virtual host", keys: S3_SESSION_KEYS, ...common, ...IN_HOST, probe: { sameAs: "s3" } },
    signer: (clock) =>
      s3Signer({ region: "eu-west-1", endpoint, addressing: "virtual", credentials: S3_SESSION_KEYS.right, clock }),
    verifier: (credentials, options) => s3Verifier({ credentials, ...options }),
  },
];
