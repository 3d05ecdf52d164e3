import type { ExampleOptions, SchemeExample } from "../../core/scheme.ts";
import { BELOW_PREFIX, COOKIE_REQUEST, ED25519, EDGE_PREFIX, EDGE_REQUEST } from "../../edge/example.ts";
import { mediaCdnCookieSigner, mediaCdnSigner, mediaCdnVerifier } from "./index.ts";

const keyName = "edge";
const { privateKey, publicKey, otherPublicKey } = ED25519;
const common = {
  keys: {
    right: { keyName, publicKey },
    wrong: { keyName, publicKey: otherPublicKey },
    invalid: [{ keyName, publicKey: "" }],
    id: keyName,
  },
  signature: /Signature=([^&:;]+)/,
  signer: (clock: () => Date) => mediaCdnSigner({ keyName, privateKey, clock }),
  verifier: (keys: never, options: ExampleOptions) => mediaCdnVerifier({ keys, ...options }),
};

export const examples: readonly SchemeExample[] = [
  { name: "media-cdn", ...common, request: EDGE_REQUEST, probe: EDGE_PREFIX },
  { name: "media-cdn, prefix", ...common, request: { ...EDGE_REQUEST, ...BELOW_PREFIX }, anyPathBelow: true },
  {
    name: "media-cdn, cookie",
    ...common,
    request: COOKIE_REQUEST,
    anyPathBelow: true,
    signer: (clock) => mediaCdnCookieSigner({ keyName, privateKey, clock }),
  },
];
