import { createHmac, generateKeyPairSync } from "node:crypto";
import type { Verifier, WireRequest } from "../../src/index.ts";
import {
  type UriSigningVerifierOptions,
  uriSigningEdDsa,
  uriSigningEs256,
  uriSigningRegex,
  uriSigningRs256,
  uriSigningSigner,
  uriSigningVerifier,
} from "../../src/schemes/uri-signing/index.ts";
import { clock, get, NOW } from "../edge-fixture.ts";
import { rsaPem, rsaPublicKey } from "../rsa-pair.ts";

export const secret = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" } as const;
export const foreign = { ...secret, k: "_____________________w" };
export const origins = ["https://cdn.example.com"];
export const url = "https://cdn.example.com/live/1/a%20b.m3u8?x=1&y=2";

const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }) as {
  x: string;
  y: string;
  d: string;
};
export const es256 = { kty: "EC", crv: "P-256", alg: "ES256", kid: "k1", x: ec.x, y: ec.y, d: ec.d } as const;
const { n, e } = rsaPublicKey.export({ format: "jwk" }) as { n: string; e: string };
export const rs256 = { kty: "RSA", alg: "RS256", kid: "k1", n, e } as const;
// RFC 8032 section 7.1, test 1.
export const okp = {
  kty: "OKP",
  crv: "Ed25519",
  alg: "EdDSA",
  kid: "k1",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
} as const;
export const asymmetric = {
  ES256: { signing: uriSigningEs256(es256), right: uriSigningEs256({ ...es256, d: undefined } as never) },
  RS256: { signing: uriSigningRs256(rs256, rsaPem.privateKey), right: uriSigningRs256(rs256) },
  EdDSA: { signing: uriSigningEdDsa(okp), right: uriSigningEdDsa({ ...okp, d: undefined } as never) },
};

/** A token with these claims, whatever they are. */
export function token(claims: object | string, header: object | string = { alg: "HS256", kid: "k1" }): string {
  const texts = [header, claims].map((part) => (typeof part === "string" ? part : JSON.stringify(part)));
  const input = texts.map((text) => Buffer.from(text).toString("base64url")).join(".");
  return `${input}.${createHmac("sha256", Buffer.from(secret.k, "base64url")).update(input).digest("base64url")}`;
}

export const ANY = { cdniuc: "regex:.*", exp: NOW.getTime() / 1000 + 60 };
export const withToken = (claims: object | string, header?: object | string): WireRequest =>
  get(`https://cdn.example.com/a/b?URISigningPackage=${token(claims, header)}`);
export const verifier = (options: Partial<UriSigningVerifierOptions> = {}): Verifier =>
  uriSigningVerifier({ keySets: [{ keys: [secret] }], regex: uriSigningRegex, origins, clock, ...options });
export const signer = uriSigningSigner({ key: secret, clock });
