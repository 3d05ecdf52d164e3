import { EXAMPLE_ORIGINS, EXAMPLE_PATH, EXAMPLE_TIME } from "../../core/example.ts";
import { EC_PAIR, FOREIGN_PUBLIC_KEY, RSA_PAIR } from "../../core/example-keys.ts";
import type { ExampleKeys, ExampleOptions, SchemeExample } from "../../core/scheme.ts";
import { BELOW_PREFIX, EDGE_PREFIX, EDGE_REQUEST } from "../../edge/example.ts";
import { cloudfrontCookieSigner, cloudfrontSigner, cloudfrontVerifier } from "./index.ts";

type Hash = "sha1" | "sha256";

function keys(keyPairId: string, publicKey: string, hash: Hash): ExampleKeys {
  const right = { keyPairId, publicKey, hashes: [hash] };
  const invalid = [{ ...right, publicKey: "" }];
  return { right, wrong: { ...right, publicKey: FOREIGN_PUBLIC_KEY }, invalid, id: keyPairId };
}

const [origin] = EXAMPLE_ORIGINS;
const verifier = (keys: never, options: ExampleOptions) => cloudfrontVerifier({ keys, ...options });
const signature = /[?&]Signature=([^&]+)/;
const ID = "K2JCJMDEHXQW5F";
const RSA_KEYS = keys(ID, RSA_PAIR.publicKey, "sha256");
const signer: SchemeExample["signer"] = (clock) =>
  cloudfrontSigner({ keyPairId: ID, privateKey: RSA_PAIR.privateKey, hash: "sha256", clock });
const cookieSigner: SchemeExample["signer"] = (clock) =>
  cloudfrontCookieSigner({ keyPairId: ID, privateKey: RSA_PAIR.privateKey, hash: "sha256", clock });
const variants = [
  BELOW_PREFIX,
  { notBefore: EXAMPLE_TIME },
  { bind: { ip: "203.0.113.0/24" } },
  { resource: `${origin}/talks/*` },
  { resource: "http*://media.example.com/talks/keynot?.mp4", bind: { ip: "203.0.113.9" } },
];

/** With another kind of key or hash. ECDSA signs differently each time, so it has no stable window. */
function withKey(name: string, pair: typeof RSA_PAIR, hash: Hash, keyPairId: string): SchemeExample {
  const but: Readonly<Record<string, string>> = pair === EC_PAIR ? { stableWindow: "refuses" } : {};
  return {
    name: `cloudfront, ${name}, ${hash}`,
    keys: keys(keyPairId, pair.publicKey, hash),
    signature,
    request: EDGE_REQUEST,
    variants,
    verifier,
    probe: { ...EDGE_PREFIX, sameAs: "cloudfront", but },
    signer: (clock) => cloudfrontSigner({ keyPairId, privateKey: pair.privateKey, hash, clock }),
  };
}

export const examples: readonly SchemeExample[] = [
  {
    name: "cloudfront",
    keys: RSA_KEYS,
    signature,
    request: EDGE_REQUEST,
    variants,
    probe: EDGE_PREFIX,
    signer,
    verifier,
  },
  {
    name: "cloudfront, policy",
    keys: RSA_KEYS,
    signature,
    request: { ...EDGE_REQUEST, ...BELOW_PREFIX },
    anyPathBelow: true,
    signer,
    verifier,
  },
  {
    name: "cloudfront, cookies",
    keys: RSA_KEYS,
    signature: /CloudFront-Signature=([^;]+)/,
    request: { resource: `${origin}/talks/*` },
    variants: [{ resource: origin + EXAMPLE_PATH }],
    anyPathBelow: true,
    signer: cookieSigner,
    verifier,
  },
  withKey("RSA", RSA_PAIR, "sha1", "KRSA"),
  withKey("ECDSA", EC_PAIR, "sha1", "KEC1"),
  withKey("ECDSA", EC_PAIR, "sha256", "KEC256"),
];
