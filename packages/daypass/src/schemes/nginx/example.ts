import type { SchemeExample } from "../../core/scheme.ts";
import { EDGE_REQUEST, SECRETS } from "../../edge/example.ts";
import { nginxSigner, nginxVerifier } from "./index.ts";

const expression = "$secure_link_expires$uri $arg_w $secret";

export const examples: readonly SchemeExample[] = [
  {
    name: "nginx",
    keys: SECRETS,
    signature: /md5=([^&]+)/,
    request: EDGE_REQUEST,
    probe: {},
    signer: (clock) => nginxSigner({ secret: SECRETS.right, clock }),
    verifier: (secrets, options) => nginxVerifier({ secrets, ...options }),
  },
  {
    name: "nginx, expression",
    keys: SECRETS,
    signature: /md5=([^&]+)/,
    request: { ...EDGE_REQUEST, bind: { query: { w: "400" } } },
    signer: (clock) => nginxSigner({ secret: SECRETS.right, expression, clock }),
    verifier: (secrets, options) => nginxVerifier({ secrets, expression, ...options }),
  },
];
