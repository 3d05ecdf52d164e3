import { hmacSha256, type PreparedHmac, sha256Hex } from "#crypto";
import type { QueryToken } from "../../core/contracts.ts";
import { isDaypassError } from "../../core/errors.ts";
import {
  type CredentialScope,
  canonicalQuery,
  canonicalRequestText,
  type EncodedPair,
  scopeText,
  signingKey,
  stringToSignText,
  type V4Family,
} from "../../core/v4.ts";
import { canonicalHeaders, canonicalText, readPath, type SignedHeader } from "../../schemes/s3/canonical.ts";
import { decodeOr } from "../decoded.ts";
import { isSecretHeader } from "../secrets.ts";

/** The scopes of a family's signing keys. */
export interface V4Scoping {
  /** Prefix of the signature's own parameters, for example `X-Amz-`. */
  readonly prefix: string;
  readonly regions: readonly string[];
  /** The right service comes first. */
  readonly services: readonly string[];
}

/** The differences between the schemes of the V4 family. */
export interface V4Dialect extends V4Scoping {
  /** The provider's name in sentences. */
  readonly name: string;
  readonly family: V4Family;
  /** The provider's host, if it has only one. */
  readonly home?: string | undefined;
  /** Parameters with the prefix that not every URL has. */
  readonly optional: RegExp;
  /** Parameters that signers add and that get lost in transit, `&` between those that get lost together. */
  readonly lost: readonly string[];
  /** Whether the signing key is derived from a secret. */
  readonly hasSecret: boolean;
  /** Whether the scope has a region. SigV4A has none. */
  readonly isRegional: boolean;
}

/** The signed input of a V4 signature. */
export interface V4Input {
  readonly dialect: V4Dialect;
  readonly method: string;
  readonly rawPath: string;
  readonly path: string;
  /** All tokens but the signature, in wire order. */
  readonly tokens: readonly QueryToken[];
  readonly query: string;
  readonly headers: readonly SignedHeader[];
  readonly payload: string;
  /** The scope in the URL. */
  readonly scope: CredentialScope;
  /** The scope of the signing key, which equals the other one unless the signer erred. */
  readonly keyScope: CredentialScope;
  readonly time: string;
  readonly secret: string;
}

export function v4CanonicalRequest({ method, path, query, headers, payload }: V4Input): string {
  const signedHeaders = headers.map(({ name }) => name).join(";");
  return canonicalRequestText({ method, path, query, headers: canonicalHeaders(headers), signedHeaders, payload });
}

/** The value of a header, if it is known and not secret. */
export function signedValue(headers: readonly SignedHeader[] | undefined, name: string): string | undefined {
  if (isSecretHeader(name)) return undefined;
  return headers?.find((header) => header.name === name)?.values.join(",") || undefined;
}

export function v4StringToSign(input: V4Input): string {
  return stringToSignText(input.dialect.family, input.time, v4ScopeText(input), sha256Hex(v4CanonicalRequest(input)));
}

/** The scope in the URL, as it is signed. */
export function v4ScopeText({ dialect: { family, isRegional }, scope }: V4Input): string {
  return isRegional ? scopeText(family, scope) : `${scope.date}/${scope.service}/${family.terminator}`;
}

/** Signs the inputs of one search. */
export function v4Signatures(family: V4Family): (input: V4Input) => string {
  const hmacOf = scopeHmacs(family);
  return (input) => hmacOf(input.secret, input.keyScope).hex(v4StringToSign(input));
}

/** Parameters that cannot be decoded stay as they are: a server refuses them earlier. */
export function canonicalPairs(tokens: readonly QueryToken[]): readonly EncodedPair[] {
  return tokens.map(({ name, value = "" }) => [decodeOr(name, canonicalText), decodeOr(value, canonicalText)]);
}

/** The canonical query of parameters as a URL spells them. */
export function queryOf(tokens: readonly QueryToken[]): string {
  return canonicalQuery(canonicalPairs(tokens));
}

/** Completes an input. A path or query that cannot be decoded stays as it is: a server refuses it earlier. */
export function v4Input(fields: Omit<V4Input, "path" | "query" | "keyScope">): V4Input {
  let path = fields.rawPath;
  let query = "";
  try {
    query = queryOf(fields.tokens);
    path = readPath(fields.rawPath).path;
  } catch (error) {
    if (!isDaypassError(error)) throw error;
  }
  return { ...fields, path, query, keyScope: fields.scope };
}

/** Memoizes signing keys for one search. Deriving a key costs more than signing, and a search uses few secrets and scopes. */
export function scopeHmacs(family: V4Family): (secret: string, scope: CredentialScope) => PreparedHmac {
  const derived = new Map<string, PreparedHmac>();
  return (secret, scope) => {
    // The length marks where the secret ends, as a secret may contain spaces.
    const name = `${secret.length} ${secret} ${scopeText(family, scope)}`;
    const hmac = derived.get(name) ?? hmacSha256(signingKey(family, secret, scope));
    derived.set(name, hmac);
    return hmac;
  };
}
