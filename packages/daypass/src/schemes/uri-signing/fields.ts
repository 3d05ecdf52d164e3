import { DaypassError } from "../../core/errors.ts";
import {
  type FieldKind,
  flag,
  isObject,
  type JsonObject,
  number,
  object,
  oneOf,
  record,
  text,
  textList,
  textOrList,
} from "../../core/fields.ts";
import type { KeyTools, SchemeFields } from "../../core/scheme.ts";
import { unchecked } from "../../core/unchecked.ts";
import { type EdgeOptions, ENDLESS, edgeFields } from "../../edge/fields.ts";
import {
  type UriSigningEncryptionJwk,
  type UriSigningKey,
  type UriSigningPrivateKey,
  type UriSigningSecret,
  uriSigningEdDsa,
  uriSigningEncryption,
  uriSigningEs256,
  uriSigningRegex,
  uriSigningRs256,
  uriSigningSigner,
  uriSigningVerifier,
} from "./index.ts";

/** A JWK of the four algorithms, which signs if it has `d`, and the `iss` of its tokens. */
interface Key {
  readonly key: JsonObject & { readonly alg?: string };
  readonly issuer?: string;
}

interface Options extends Key {
  readonly attribute?: string;
  readonly clock: () => Date;
}

interface Verifying extends EdgeOptions {
  readonly encryptionKey?: UriSigningEncryptionJwk;
}

const NONCE: FieldKind = {
  expected: "a string or true",
  accepts: (value) => value === true || typeof value === "string",
};

/** Lines of URI Signing (RFC 9246). */
export const fields: SchemeFields = edgeFields({
  scheme: "uri-signing",
  credentials: { key: object, issuer: text },
  required: ["key"],
  options: { attribute: text },
  request: {
    ...ENDLESS,
    regex: text,
    audience: textOrList,
    nonce: NONCE,
    issuedAt: flag,
    renewal: record({ every: number, depth: number }),
    claims: object,
    critical: textList,
    encrypted: record({ subject: text, ip: text }),
    place: oneOf("query", "path", "cookie"),
  },
  entry: {
    ...ENDLESS,
    audience: text,
    extensions: textList,
    header: text,
    maxSkew: number,
    encryptionKey: object,
  },
  signer: ({ key: jwk, ...options }: Options, tools) =>
    // The library distinguishes both kinds of key by type.
    uriSigningSigner({ ...options, key: readKey(jwk, tools) as UriSigningPrivateKey }),
  prepare: ({ regex, ...request }: { readonly regex?: string }) =>
    regex === undefined ? request : { ...request, regex: uriSigningRegex(regex) },
  verifier({ key, issuer }: Key, { encryptionKey, ...options }: Verifying, tools) {
    const encryption = encryptionKey && uriSigningEncryption(encryptionKey);
    const keySets = [{ issuer, keys: [readKey(key, tools)] }];
    return uriSigningVerifier({ ...options, keySets, encryption, regex: uriSigningRegex });
  },
  explainKey: ({ key, issuer }: Key, tools) => ({ key: readKey(key, tools), issuer }),
});

function readKey(jwk: Key["key"], tools: KeyTools): UriSigningSecret | UriSigningKey {
  const plain = unchecked<never>(jwk);
  switch (isObject(jwk) ? jwk.alg : undefined) {
    case "HS256":
      return plain;
    case "ES256":
      return uriSigningEs256(plain);
    case "EdDSA":
      return uriSigningEdDsa(plain);
    case "RS256":
      return jwk["d"] === undefined ? uriSigningRs256(plain) : uriSigningRs256(plain, tools.pemOfJwk(jwk));
    default:
      throw new DaypassError("INVALID_KEY", "key is not a JWK with alg HS256, ES256, RS256 or EdDSA");
  }
}
