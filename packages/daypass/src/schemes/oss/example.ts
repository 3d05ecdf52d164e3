import { EXAMPLE_OBJECT, EXAMPLE_ORIGINS, EXAMPLE_RESPONSE, IN_HOST } from "../../core/example.ts";
import type { ExampleKeys, ExampleOptions, SchemeExample } from "../../core/scheme.ts";
import { type OssCredentials, ossSigner, ossVerifier } from "./index.ts";

type OssKeys = ExampleKeys & { readonly right: OssCredentials };

function keys(right: OssCredentials): OssKeys {
  return {
    right,
    wrong: { ...right, accessKeySecret: "another" },
    invalid: [
      { ...right, accessKeySecret: "" },
      { ...right, accessKeyId: "" },
    ],
    id: right.accessKeyId,
  };
}

/** A long-term and a temporary key for the examples of both versions. */
export const OSS_KEYS: OssKeys = keys({ accessKeyId: "LTAIEXAMPLE", accessKeySecret: "secret" });
export const OSS_STS_KEYS: OssKeys = keys({
  accessKeyId: "STS.EXAMPLE",
  accessKeySecret: "bPxRfiCY",
  securityToken: "CAIS/+=token",
});
/** The place that all examples sign for. */
export const OSS_PLACE = { region: "cn-hangzhou", endpoint: EXAMPLE_ORIGINS[0] as string };

const verifier = (credentials: never, options: ExampleOptions) => ossVerifier({ credentials, ...options });
const common = {
  signature: /x-oss-signature=([^&]+)/,
  request: EXAMPLE_OBJECT,
  obliged: EXAMPLE_RESPONSE,
  verifier,
  variants: [
    { bindHost: true },
    { query: { x: "1", utm: "" }, headers: { "x-shard": "eu  1" } },
    { method: "PUT", headers: { "content-type": "image/png", "x-oss-forbid-overwrite": "true" } },
  ],
};
const probe = { header: "x-oss-meta-trace" };

export const examples: readonly SchemeExample[] = [
  {
    name: "oss",
    ...common,
    keys: OSS_KEYS,
    futureSkew: 900,
    probe,
    signer: (clock) => ossSigner({ ...OSS_PLACE, addressing: "path", credentials: OSS_KEYS.right, clock }),
  },
  {
    name: "oss, virtual host, STS, host bound",
    ...common,
    ...IN_HOST,
    keys: OSS_STS_KEYS,
    request: { ...EXAMPLE_OBJECT, bindHost: true },
    probe: { ...probe, sameAs: "oss" },
    signer: (clock) => ossSigner({ ...OSS_PLACE, addressing: "virtual", credentials: OSS_STS_KEYS.right, clock }),
  },
];
