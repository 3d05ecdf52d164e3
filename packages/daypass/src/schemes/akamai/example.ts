import type { ExampleOptions, SchemeExample } from "../../core/scheme.ts";
import { BELOW_PREFIX, EDGE_PREFIX, EDGE_REQUEST, HEX } from "../../edge/example.ts";
import { akamaiSigner, akamaiVerifier } from "./index.ts";

const keys = { right: HEX, wrong: HEX.replaceAll("5", "6"), invalid: ["", "5"] };
const common = {
  keys,
  signature: /hmac=([^&~]+)/,
  signer: (clock: () => Date) => akamaiSigner({ secret: HEX, clock }),
  verifier: (secrets: never, options: ExampleOptions) => akamaiVerifier({ secrets, ...options }),
};
const md5 = { hash: "md5", salt: "s", escapeEarly: true } as const;

export const examples: readonly SchemeExample[] = [
  { name: "akamai", ...common, request: EDGE_REQUEST, probe: EDGE_PREFIX },
  { name: "akamai, prefix", ...common, request: { ...EDGE_REQUEST, ...BELOW_PREFIX }, anyPathBelow: true },
  { name: "akamai, acl", ...common, request: { ...EDGE_REQUEST, acl: ["/talks/*"] }, anyPathBelow: true },
  {
    name: "akamai, MD5, salt, escaped early",
    keys,
    signature: /hmac=([^&~]+)/,
    request: EDGE_REQUEST,
    probe: { ...EDGE_PREFIX, sameAs: "akamai" },
    signer: (clock) => akamaiSigner({ secret: HEX, ...md5, clock }),
    verifier: (secrets, options) => akamaiVerifier({ secrets, ...md5, ...options }),
  },
];
