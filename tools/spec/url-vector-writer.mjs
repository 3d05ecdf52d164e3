import { createHash, createHmac, createPrivateKey, sign } from "node:crypto";

// Writes one vector of docs/spec/daypass-url.md from its parts. It knows section 5 of the page and nothing of the grammar:
// each case says itself which path and query are signed, so it can sign what no signer would.

/**
 * @typedef {object} Parts
 * @property {string} [kid]
 * @property {string} [method]
 * @property {string} [authority]
 * @property {string} [origin] what is signed; the first of `origins` by default
 * @property {string[]} [origins]
 * @property {string} [path]
 * @property {string} [fixed] the signed part of the path where a prefix is signed
 * @property {string[]} [before] tokens before the parameters
 * @property {string[]} [after] tokens after them
 * @property {string} [query] what is signed of `before` and `after`; all by default
 * @property {Record<string, string | undefined>} [params] over the five that every URL has
 * @property {(tokens: string[]) => string[]} [reorder] the parameters as they are signed and sent
 * @property {string} [signedHeaders]
 * @property {string} [alg] what is signed as alg
 * @property {string} [kind]
 * @property {string} [lead] the first line of S
 * @property {(message: string, signature: Buffer) => Buffer | string} [forge]
 * @property {(target: string) => string} [tamper]
 * @property {[string, string][]} [headers]
 * @property {string} [remoteAddress]
 * @property {string} [audience]
 * @property {number} [skew]
 * @property {string} [now]
 * @property {string} [subject]
 * @property {string[]} [enforces]
 */

/** @typedef {{ name: string, expect: string | { methods?: string[], target?: string, obligations?: string[] } } & Parts} Vector */

const SECRETS = /** @type {Record<string, Buffer>} */ ({
  k1: Buffer.from(Array.from({ length: 32 }, (_, i) => i)),
  long: Buffer.from(Array.from({ length: 100 }, (_, i) => 255 - i)),
  scoped: Buffer.alloc(32, "scoped"),
});
// RFC 8032 section 7.1, tests 1 and 2.
const SEEDS = /** @type {Record<string, string>} */ ({
  "edge-1": "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
  "edge-2": "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
});
const PUBLIC = /** @type {Record<string, string>} */ ({
  "edge-1": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  "edge-2": "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
});

/** The 32 bytes of an Ed25519 public key. @param {string} kid */
export const publicKey = (kid) => Buffer.from(PUBLIC[kid] ?? "", "hex");

/** The JWK of a kid. @param {string} kid @param {object} [more] */
export function jwk(kid, more = {}) {
  const secret = SECRETS[kid];
  if (secret) return { kty: "oct", alg: "HS256", kid, k: secret.toString("base64url"), ...more };
  const x = publicKey(kid).toString("base64url");
  return { kty: "OKP", crv: "Ed25519", alg: "Ed25519", kid, x, ...more };
}

/** @param {string} kid @param {string} message */
export function signWith(kid, message) {
  const secret = SECRETS[kid];
  if (secret) return createHmac("sha256", secret).update(message, "latin1").digest();
  const der = Buffer.from(`302e020100300506032b657004220420${SEEDS[kid]}`, "hex");
  return sign(null, Buffer.from(message, "latin1"), createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
}

/** @param {string} part */
const sized = (part) => `${part.length}:${part}\n`;

/** @param {Vector} vector */
export function writeVector({ name, expect, ...parts }) {
  const { kid = "k1", method = "GET", origins = ["https://api.example.com"], path = "/invoices/7.pdf" } = parts;
  const { before = [], after = [], reorder = (tokens) => tokens, tamper = (target) => target, fixed } = parts;
  const values = /** @type {Record<string, string | undefined>} */ ({
    "dp-date": "20260102T030405Z",
    "dp-expires": "20260102T031905Z",
    "dp-key": kid,
    "dp-methods": "GET",
    "dp-v": "1",
    ...parts.params,
  });
  const tokens = reorder(
    Object.keys({ ...values, "dp-signature": "" })
      .filter((key) => key === "dp-signature" || values[key] !== undefined)
      .sort()
      .map((key) => (key === "dp-signature" ? "dp-signature=" : `${key}=${values[key]}`)),
  );
  const query = parts.query ?? [...before, ...after].join("&");
  const message =
    (parts.lead ?? "daypass-url-v1\n") +
    sized(parts.alg ?? (SECRETS[kid] ? "HS256" : "Ed25519")) +
    sized(parts.origin ?? origins[0] ?? "") +
    sized(parts.kind ?? (fixed === undefined ? "exact" : "prefix")) +
    sized(fixed ?? path) +
    sized(query) +
    sized(tokens.filter((token) => token !== "dp-signature=").join("&")) +
    sized(parts.signedHeaders ?? "");
  const made = signWith(kid, message);
  const forged = parts.forge?.(message, made) ?? made;
  const signature = typeof forged === "string" ? forged : forged.toString("base64url");
  const sent = tokens.map((token) => (token === "dp-signature=" ? token + signature : token));
  return {
    name,
    request: {
      method,
      authority: parts.authority ?? (origins[0] ?? "").replace(/^https?:\/\//, ""),
      target: tamper(`${path}?${[...before, ...sent, ...after].join("&")}`),
      headers: parts.headers ?? [],
      ...(parts.remoteAddress === undefined ? {} : { remoteAddress: parts.remoteAddress }),
    },
    verifier: {
      origins,
      ...(parts.audience === undefined ? {} : { audience: parts.audience }),
      ...(parts.skew === undefined ? {} : { skew: parts.skew }),
    },
    now: parts.now ?? "20260102T030500Z",
    ...(parts.subject === undefined ? {} : { subject: parts.subject }),
    ...(parts.enforces === undefined ? {} : { enforces: parts.enforces }),
    expect:
      typeof expect === "string"
        ? { code: expect }
        : {
            id: createHash("sha256").update(message, "latin1").digest().subarray(0, 16).toString("base64url"),
            keyId: kid,
            methods: expect.methods ?? ["GET", "HEAD"],
            notBefore: values["dp-starts"] ?? values["dp-date"],
            expiresAt: values["dp-expires"],
            target: expect.target ?? (query === "" ? path : `${path}?${query}`),
            obligations: expect.obligations ?? [],
            ...(fixed === undefined ? {} : { prefix: fixed }),
          },
  };
}
