import type { SchemeExample } from "../../core/scheme.ts";
import { EDGE_REQUEST, SECRETS } from "../../edge/example.ts";
import { cloudflareSigner, cloudflareVerifier } from "./index.ts";

const signature = /verify=[0-9]+-([^&]+)/;
// The probe of capabilities asks for lifetimes up to an hour.
const own = { ttl: 3600 };
const urlSafe = { ttl: 3600, urlSafe: true };

export const examples: readonly SchemeExample[] = [
  {
    name: "cloudflare",
    keys: SECRETS,
    signature,
    request: EDGE_REQUEST,
    probe: {},
    signer: (clock) => cloudflareSigner({ secret: SECRETS.right, ...own, clock }),
    verifier: (secrets, options) => cloudflareVerifier({ secrets, ...own, ...options }),
  },
  {
    name: "cloudflare, base64url",
    keys: SECRETS,
    signature,
    probe: { sameAs: "cloudflare" },
    request: { url: `${EDGE_REQUEST.url}?a=1` },
    signer: (clock) => cloudflareSigner({ secret: SECRETS.right, ...urlSafe, clock }),
    verifier: (secrets, options) => cloudflareVerifier({ secrets, ...urlSafe, ...options }),
  },
];
