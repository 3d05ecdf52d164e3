import { generateKeyPairSync, randomBytes } from "node:crypto";
import type { UrlEd25519PrivateKey, UrlHmacKey } from "daypass/url";
import { type UrlSignerOptions, urlSigner } from "daypass/url";
import type { KeyRecord, SigningKey } from "./key-record.ts";
import { urlScope } from "./scope.ts";

/** The properties of a new key. */
export interface NewKey {
  readonly algorithm: KeyRecord["algorithm"];
  readonly scope: KeyRecord["scope"];
  readonly label?: string | undefined;
}

/** Creates a random key and its record. */
export function newKey({ algorithm, scope, label }: NewKey, now: Date): { record: KeyRecord; key: SigningKey } {
  const key = algorithm === "AWS4-HMAC-SHA256" ? newAccessKey() : newUrlKey(algorithm);
  const id = key.kind === "s3" ? key.credentials.accessKeyId : key.jwk.kid;
  // Refuse an invalid scope now, not when the gateway starts.
  if (key.kind === "url")
    urlSigner({ key: { ...key.jwk, scope: urlScope(scope) }, clock: () => now } as UrlSignerOptions<UrlHmacKey>);
  return {
    record: {
      kind: key.kind,
      id,
      algorithm,
      ...(label === undefined ? {} : { label }),
      createdAt: now.toISOString(),
      scope,
    },
    key,
  };
}

// AWS tools expect an id of 20 upper-case characters and a secret of 40 characters.
function newAccessKey(): SigningKey {
  return {
    kind: "s3",
    credentials: { accessKeyId: `DP${base32(18)}`, secretAccessKey: randomBytes(30).toString("base64url") },
  };
}

function newUrlKey(algorithm: "HS256" | "Ed25519"): SigningKey {
  const kid = `k-${base32(12).toLowerCase()}`;
  if (algorithm === "HS256") {
    const jwk: UrlHmacKey = { kty: "oct", kid, alg: "HS256", use: "sig", k: randomBytes(32).toString("base64url") };
    return { kind: "url", jwk };
  }
  const { x, d } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  if (x === undefined || d === undefined) throw new TypeError("an Ed25519 key is expected to export x and d");
  const jwk: UrlEd25519PrivateKey = { kty: "OKP", crv: "Ed25519", kid, alg: "Ed25519", use: "sig", x, d };
  return { kind: "url", jwk };
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function base32(length: number): string {
  return Array.from(randomBytes(length), (byte) => BASE32[byte & 31]).join("");
}
