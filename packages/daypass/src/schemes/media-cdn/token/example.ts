import type { ExampleOptions, SchemeExample } from "../../../core/scheme.ts";
import { BELOW_PREFIX, ED25519, EDGE_PREFIX, EDGE_REQUEST } from "../../../edge/example.ts";
import {
  mediaCdnEd25519TokenSigner,
  mediaCdnPublicKey,
  mediaCdnSha1Key,
  mediaCdnTokenSigner,
  mediaCdnTokenVerifier,
} from "./index.ts";

const right = { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" };
const wrong = { secret: "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI" };
const verifier = (keys: never, options: ExampleOptions) => mediaCdnTokenVerifier({ keys, ...options });
const common = {
  keys: { right, wrong, invalid: [{ secret: "" }, { secret: "AAAA" }] },
  signature: /hmac=([^&]+)/,
  verifier,
  signer: (clock: () => Date) => mediaCdnTokenSigner({ key: right, clock }),
};
const ed25519Keys = {
  right: mediaCdnPublicKey(ED25519.publicKey),
  wrong: mediaCdnPublicKey(ED25519.otherPublicKey),
  invalid: [undefined],
};
const sha1Keys = { right: mediaCdnSha1Key(right), wrong: mediaCdnSha1Key(wrong), invalid: [{ secret: "" }] };
const probe = { ...EDGE_PREFIX, sameAs: "media-cdn/token" };

export const examples: readonly SchemeExample[] = [
  { name: "media-cdn/token", ...common, request: EDGE_REQUEST, probe: EDGE_PREFIX },
  { name: "media-cdn/token, prefix", ...common, request: { ...EDGE_REQUEST, ...BELOW_PREFIX }, anyPathBelow: true },
  {
    name: "media-cdn/token, globs",
    ...common,
    request: { ...EDGE_REQUEST, pathGlobs: ["/talks/*"] },
    anyPathBelow: true,
  },
  {
    name: "media-cdn/token, SHA-1",
    ...common,
    keys: sha1Keys,
    request: EDGE_REQUEST,
    probe,
    signer: (clock) => mediaCdnTokenSigner({ key: mediaCdnSha1Key(right), clock }),
  },
  {
    name: "media-cdn/token, Ed25519",
    keys: ed25519Keys,
    signature: /Signature=([^&]+)/,
    request: EDGE_REQUEST,
    probe,
    verifier,
    signer: (clock) => mediaCdnEd25519TokenSigner({ privateKey: ED25519.privateKey, clock }),
  },
];
