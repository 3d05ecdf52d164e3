import type { SchemeExample } from "../../core/scheme.ts";
import { EDGE_REQUEST, SECRETS } from "../../edge/example.ts";
import { imgixSigner, imgixVerifier } from "./index.ts";

export const examples: readonly SchemeExample[] = [
  {
    name: "imgix",
    keys: SECRETS,
    signature: /[?&]s=([^&]+)/,
    request: EDGE_REQUEST,
    probe: {},
    signer: (clock) => imgixSigner({ secret: SECRETS.right, clock }),
    verifier: (secrets, options) => imgixVerifier({ secrets, ...options }),
  },
];
