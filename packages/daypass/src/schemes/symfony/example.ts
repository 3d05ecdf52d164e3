import type { SchemeExample } from "../../core/scheme.ts";
import { EDGE_REQUEST, SECRETS } from "../../edge/example.ts";
import { symfonySigner, symfonyVerifier } from "./index.ts";

const common = { keys: SECRETS, signature: /_hash=([^&]+)/, request: EDGE_REQUEST };

export const examples: readonly SchemeExample[] = [
  {
    name: "symfony",
    ...common,
    probe: {},
    signer: (clock) => symfonySigner({ secret: SECRETS.right, clock }),
    verifier: (secrets, options) => symfonyVerifier({ secrets, ...options }),
  },
  {
    name: "symfony, base64",
    ...common,
    probe: { sameAs: "symfony" },
    signer: (clock) => symfonySigner({ secret: SECRETS.right, encoding: "base64", clock }),
    verifier: (secrets, options) => symfonyVerifier({ secrets, encoding: "base64", ...options }),
  },
];
