import { EXAMPLE_OBJECT, EXAMPLE_ORIGINS, EXAMPLE_RESPONSE, EXAMPLE_TIME, IN_HOST } from "../../core/example.ts";
import type { ExampleKeys, ExampleOptions, SchemeExample } from "../../core/scheme.ts";
import { type CosCredentials, cosSigner, cosVerifier } from "./index.ts";

function keys(right: CosCredentials): ExampleKeys & { readonly right: CosCredentials } {
  return {
    right,
    wrong: { ...right, secretKey: "another" },
    invalid: [
      { ...right, secretKey: "" },
      { ...right, secretId: "" },
    ],
    id: right.secretId,
  };
}

const KEYS = keys({ secretId: "AKIDEXAMPLE", secretKey: "secret" });
const STS_KEYS = keys({ secretId: "AKIDTEMP", secretKey: "bPxRfiCY", sessionToken: "tok/en+=" });
const place = { region: "ap-guangzhou", endpoint: EXAMPLE_ORIGINS[0] };
const common = {
  signature: /q-signature=([^&]+)/,
  request: { ...EXAMPLE_OBJECT, bucket: "media-1250000000" },
  obliged: EXAMPLE_RESPONSE,
  variants: [
    { notBefore: EXAMPLE_TIME },
    { query: { versionId: "3/L4kqtJ+l", "imageMogr2/thumbnail/200x": "" } },
    { method: "PUT", headers: { "content-type": "image/png", "x-cos-forbid-overwrite": "true" } },
  ],
  verifier: (credentials: never, options: ExampleOptions) => cosVerifier({ credentials, ...options }),
};

export const examples: readonly SchemeExample[] = [
  {
    name: "cos",
    ...common,
    keys: KEYS,
    probe: {},
    signer: (clock) => cosSigner({ ...place, addressing: "path", credentials: KEYS.right, clock }),
  },
  {
    name: "cos, virtual host, STS",
    ...common,
    ...IN_HOST,
    keys: STS_KEYS,
    probe: { sameAs: "cos" },
    otherOrigin: "https://media-1250000000.other.example.com",
    signer: (clock) => cosSigner({ ...place, addressing: "virtual", credentials: STS_KEYS.right, clock }),
  },
];
