import { EXAMPLE_OBJECT, EXAMPLE_RESPONSE, IN_HOST } from "../../../core/example.ts";
import type { ExampleOptions, SchemeExample } from "../../../core/scheme.ts";
import { OSS_KEYS, OSS_PLACE, OSS_STS_KEYS } from "../example.ts";
import { ossV1Signer, ossV1Verifier } from "./index.ts";

const verifier = (credentials: never, options: ExampleOptions) => ossV1Verifier({ credentials, ...options });
const common = {
  signature: /[?&]Signature=([^&]+)/,
  request: EXAMPLE_OBJECT,
  obliged: EXAMPLE_RESPONSE,
  verifier,
  variants: [{ method: "PUT", headers: { "content-type": "image/png", "x-oss-forbid-overwrite": "true" } }],
};
const probe = { header: "x-oss-meta-trace", query: "versionId" };

export const examples: readonly SchemeExample[] = [
  {
    name: "oss/v1",
    ...common,
    keys: OSS_KEYS,
    probe,
    signer: (clock) => ossV1Signer({ ...OSS_PLACE, addressing: "path", credentials: OSS_KEYS.right, clock }),
  },
  {
    name: "oss/v1, virtual host, STS",
    ...common,
    ...IN_HOST,
    keys: OSS_STS_KEYS,
    probe: { ...probe, sameAs: "oss/v1" },
    signer: (clock) => ossV1Signer({ ...OSS_PLACE, addressing: "virtual", credentials: OSS_STS_KEYS.right, clock }),
  },
];
