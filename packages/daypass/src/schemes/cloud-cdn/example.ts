import type { ExampleOptions, SchemeExample } from "../../core/scheme.ts";
import { BELOW_PREFIX, COOKIE_REQUEST, EDGE_PREFIX, EDGE_REQUEST } from "../../edge/example.ts";
import { cloudCdnCookieSigner, cloudCdnSigner, cloudCdnVerifier } from "./index.ts";

const key = { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" };
const common = {
  keys: {
    right: key,
    wrong: { ...key, key: "AAAAAAAAAAAAAAAAAAAAAA==" },
    invalid: [{ ...key, key: "" }],
    id: key.keyName,
  },
  signature: /Signature=([^&;]+)/,
  signer: (clock: () => Date) => cloudCdnSigner({ ...key, clock }),
  verifier: (keys: never, options: ExampleOptions) => cloudCdnVerifier({ keys, ...options }),
};

export const examples: readonly SchemeExample[] = [
  { name: "cloud-cdn", ...common, request: EDGE_REQUEST, probe: EDGE_PREFIX },
  { name: "cloud-cdn, prefix", ...common, request: { ...EDGE_REQUEST, ...BELOW_PREFIX }, anyPathBelow: true },
  {
    name: "cloud-cdn, cookie",
    ...common,
    request: COOKIE_REQUEST,
    anyPathBelow: true,
    signer: (clock) => cloudCdnCookieSigner({ ...key, clock }),
  },
];
