import { createPrivateKey, type JsonWebKey } from "node:crypto";
import { DaypassError } from "daypass";
import {
  type UriSigningEncryptionJwk,
  type UriSigningKey,
  type UriSigningPrivateKey,
  type UriSigningRequest,
  type UriSigningSecret,
  type UriSigningVerifierOptions,
  uriSigningEdDsa,
  uriSigningEncryption,
  uriSigningEs256,
  uriSigningRegex,
  uriSigningRs256,
  uriSigningSigner,
  uriSigningVerifier,
} from "daypass/uri-signing";
import {
  type FieldKind,
  fields,
  flag,
  isObject,
  nested,
  number,
  object,
  oneOf,
  text,
  textList,
  textOrList,
} from "../fields.ts";
import type { LineScheme } from "../line-scheme.ts";
import { ENDLESS, edgeLines } from "./edge-lines.ts";

/** A JWK of the four algorithms; with `d` it signs. */
interface Key {
  readonly key: JsonWebKey & { readonly alg?: string; readonly kid?: string };
  /** The `iss` of its tokens. */
  readonly issuer?: string;
}
interface Options {
  readonly attribute?: string;
}
interface Verifying extends Partial<UriSigningVerifierOptions> {
  readonly encryptionKey?: UriSigningEncryptionJwk;
}
/** The request as a line has it: an expression as its text. */
type LineRequest = Omit<UriSigningRequest, "regex"> & { readonly regex?: string };

const NONCE: FieldKind = {
  expected: "a string or true",
  accepts: (value) => value === true || typeof value === "string",
};

/** Lines of the scheme `uri-signing` (RFC 9246). */
export const uriSigningLineScheme: LineScheme = edgeLines<Key, Options, LineRequest, Verifying>({
  scheme: "uri-signing",
  credentials: { key: object, issuer: text },
  required: ["key"],
  options: { attribute: text },
  request: {
    ...{ ...ENDLESS, prefix: text, regex: text, audience: textOrList, nonce: NONCE, issuedAt: flag },
    ...{ renewal: nested(fields({ every: number, depth: number })), claims: object, critical: textList },
    ...{ encrypted: nested(fields({ subject: text, ip: text })), place: oneOf("query", "path", "cookie") },
  },
  entry: {
    ...{ ...ENDLESS, audience: text, extensions: textList, header: text, maxSkew: number },
    encryptionKey: object,
  },
  signer({ key: jwk, ...options }) {
    const key = readKey(jwk);
    const signer =
      "kty" in key
        ? uriSigningSigner({ ...options, key })
        : uriSigningSigner({ ...options, key: key as UriSigningPrivateKey });
    return {
      sign: ({ regex, ...request }: LineRequest) =>
        signer.sign({ ...request, regex: regex === undefined ? undefined : uriSigningRegex(regex) }),
    };
  },
  verifier({ key, issuer }, { encryptionKey, ...options }) {
    const encryption = encryptionKey === undefined ? undefined : uriSigningEncryption(encryptionKey);
    const keySets = [{ issuer, keys: [readKey(key)] }];
    return uriSigningVerifier({ ...options, keySets, encryption, regex: uriSigningRegex });
  },
  explainKey: ({ key, issuer }) => ({ key: readKey(key), issuer }),
});

function readKey(jwk: Key["key"]): UriSigningSecret | UriSigningKey {
  const plain = jwk as never;
  switch (isObject(jwk) ? jwk.alg : undefined) {
    case "HS256":
      return plain;
    case "ES256":
      return uriSigningEs256(plain);
    case "EdDSA":
      return uriSigningEdDsa(plain);
    case "RS256":
      return jwk.d === undefined ? uriSigningRs256(plain) : uriSigningRs256(plain, pem(jwk));
    default:
      throw new DaypassError("INVALID_KEY", "expected key as a JWK with alg HS256, ES256, RS256 or EdDSA");
  }
}

function pem(jwk: JsonWebKey): string {
  try {
    return createPrivateKey({ key: jwk, format: "jwk" }).export({ format: "pem", type: "pkcs8" }).toString();
  } catch {
    throw new DaypassError("INVALID_KEY", "expected key as an RSA key with all of its numbers");
  }
}
