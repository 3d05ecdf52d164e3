import { generateKeyPairSync } from "node:crypto";

const signedAt = "2026-01-02T03:04:05Z";
export const at = "2026-01-02T03:05:00Z";
export const url = "https://cdn.example.com/talks/2026/keynote.mp4";
export const life = { expiresIn: 900, signedAt };
const HEX = "52a152a152a152a152a152a152a152a1";
export const secret = { secret: "SecurityKey" };
export const ED25519 = {
  privateKey: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  publicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};
export const cdnKey = { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" };
const mediaSecret = { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" };
export const hs256 = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" };

function jwk(alg: "ES256" | "RS256" | "EdDSA"): { readonly secret: object; readonly open: object } {
  const { privateKey, publicKey } =
    alg === "ES256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : alg === "RS256"
        ? generateKeyPairSync("rsa", { modulusLength: 2048 })
        : generateKeyPairSync("ed25519");
  const named = (key: typeof privateKey): object => ({ ...key.export({ format: "jwk" }), alg, kid: alg });
  return { secret: named(privateKey), open: named(publicKey) };
}

export interface Pair {
  readonly line: Readonly<Record<string, unknown>>;
  readonly entry: Readonly<Record<string, unknown>>;
}

const pair = (scheme: string, credentials: object, { line = {}, entry = {}, both = {} } = {}): Pair => ({
  line: { scheme, url, credentials, ...life, ...both, ...line },
  entry: { scheme, credentials, ...both, ...entry },
});
const keyPair = (alg: "ES256" | "RS256" | "EdDSA"): Pair => {
  const { secret: key, open } = jwk(alg);
  return pair("uri-signing", { key, issuer: "csp" }, { entry: { credentials: { key: open, issuer: "csp" } } });
};

/** A line to sign and the entry that verifies it, for the token of every edge. */
export const PAIRS: Readonly<Record<string, Pair>> = {
  nginx: pair("nginx", secret),
  "nginx, its own expression": pair("nginx", secret, {
    both: { expression: "$secure_link_expires$uri$remote_addr $secret", parameters: { signature: "st", expires: "e" } },
    line: { ip: "203.0.113.9" },
  }),
  bunny: pair("bunny", secret, { line: { prefix: "/talks/", place: "path", ip: "203.0.113.9" } }),
  akamai: pair(
    "akamai",
    { secret: HEX, salt: "salt" },
    { both: { hash: "sha1", parameter: "hdnts" }, line: { prefix: "/talks/", notBefore: signedAt } },
  ),
  cloudflare: pair("cloudflare", secret, { both: { ttl: 900, urlSafe: true } }),
  fastly: pair("fastly", { secret: "b2xk" }, { both: { hash: "sha256" } }),
  imgix: pair("imgix", secret, { line: { bind: { query: { w: "400" } } } }),
  imgproxy: pair("imgproxy", { key: HEX, salt: HEX }, { line: { url: `${url.replace("/talks", "/plain/talks")}` } }),
  laravel: pair("laravel", secret, { both: { relative: true } }),
  symfony: pair("symfony", secret, { both: { encoding: "base64" } }),
  "cloud-cdn": pair("cloud-cdn", cdnKey, { line: { prefix: "/talks/" } }),
  "media-cdn": pair(
    "media-cdn",
    { keyName: "edge", ...ED25519 },
    { both: { padded: true }, line: { prefix: "/talks/", place: "path" } },
  ),
  "media-cdn/token": pair("media-cdn/token", mediaSecret, {
    line: { pathGlobs: ["/talks/*"], bind: { headers: { "x-tenant": "a" } } },
  }),
  "media-cdn/token, SHA-1": pair("media-cdn/token", { ...mediaSecret, hash: "sha1" }),
  "media-cdn, verified with the signer's key": pair("media-cdn", { keyName: "edge", privateKey: ED25519.privateKey }),
  "media-cdn/token, verified with the signer's key": pair("media-cdn/token", { privateKey: ED25519.privateKey }),
  "media-cdn/token, Ed25519": pair("media-cdn/token", ED25519, { line: { ip: "203.0.113.0/24" } }),
  "uri-signing": pair(
    "uri-signing",
    { key: hs256, issuer: "csp" },
    { line: { prefix: "/talks/", audience: "edge", nonce: true, renewal: { every: 30 } }, entry: { audience: "edge" } },
  ),
  "uri-signing, an expression": pair("uri-signing", { key: hs256 }, { line: { regex: ".*/talks/[0-9]{4}/[^/]+" } }),
  "uri-signing, ES256": keyPair("ES256"),
  "uri-signing, RS256": keyPair("RS256"),
  "uri-signing, EdDSA": keyPair("EdDSA"),
};
