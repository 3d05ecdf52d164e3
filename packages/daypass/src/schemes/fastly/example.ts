import type { SchemeExample } from "../../core/scheme.ts";
import { EDGE_REQUEST } from "../../edge/example.ts";
import { fastlySigner, fastlyVerifier } from "./index.ts";

const keys = { right: "b2xk", wrong: "bmV3", invalid: ["", undefined, "b2x"] };

export const examples: readonly SchemeExample[] = [
  {
    name: "fastly",
    keys,
    signature: /token=[0-9]+_([^&]+)/,
    request: EDGE_REQUEST,
    probe: {},
    signer: (clock) => fastlySigner({ secret: keys.right, clock }),
    verifier: (secrets, options) => fastlyVerifier({ secrets, ...options }),
  },
];
