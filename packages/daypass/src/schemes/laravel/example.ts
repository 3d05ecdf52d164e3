import type { SchemeExample } from "../../core/scheme.ts";
import { EDGE_REQUEST, SECRETS } from "../../edge/example.ts";
import { laravelSigner, laravelVerifier } from "./index.ts";

const common = { keys: SECRETS, signature: /signature=([^&]+)/, request: EDGE_REQUEST };

export const examples: readonly SchemeExample[] = [
  {
    name: "laravel",
    ...common,
    probe: {},
    signer: (clock) => laravelSigner({ secret: SECRETS.right, clock }),
    verifier: (secrets, options) => laravelVerifier({ secrets, ...options }),
  },
  {
    name: "laravel, relative",
    ...common,
    probe: { sameAs: "laravel" },
    signer: (clock) => laravelSigner({ secret: SECRETS.right, relative: true, clock }),
    verifier: (secrets, options) => laravelVerifier({ secrets, relative: true, ...options }),
  },
];
