import type { ReceivedRequest } from "../../core/contracts.ts";
import type { EdgeToken } from "../../edge/verify.ts";
import { malformed } from "../../wire/parameters.ts";
import { joinUri, type NormalUri, normalizeUri } from "./canonical.ts";
import { readClaims, type UriSigningClaims } from "./claims.ts";
import { type Jws, readJws } from "./jws.ts";
import { findToken } from "./token.ts";

/** How a verifier reads tokens. */
export interface TokenOptions {
  readonly attribute: string;
  readonly header: string | undefined;
  readonly extensions: readonly string[];
}

/** A token that has been read. */
export interface UriSigningToken extends EdgeToken {
  readonly jws: Jws;
  readonly claims: UriSigningClaims;
  readonly uri: NormalUri;
  /** What `sub` and `cdniip` say, decrypted after the signature has been verified. */
  readonly personal: { subject?: string | undefined; isAdmitted?: boolean | undefined };
}

/** Reads the token of a request: its grammar and the types of its claims, no signature and no URI. */
export function parseUriSigning(
  { request, origin }: ReceivedRequest,
  { attribute, header, extensions }: TokenOptions,
): UriSigningToken {
  const found = findToken(request, attribute);
  const jws = readJws(found.token, header);
  const claims = readClaims(jws.payload, extensions);
  const { exp, nbf } = claims;
  // A broken escape would become one with what stands behind it: `%%37%33` is `%73` in the normal form, and so on.
  if (/%(?![0-9A-Fa-f]{2})/.test(found.target)) throw malformed("target", "form", "whole escapes");
  const uri = normalizeUri(origin, found.target);
  return {
    jws,
    claims,
    uri,
    personal: {},
    keyId: jws.kid,
    // "URI Signing implementations MUST NOT allow for any time synchronization leeway": both as they are.
    notBefore: nbf && nbf * 1000,
    expiresAt: exp && exp * 1000,
    path: uri.path,
    // What was verified is what the handler sees: the URI in its normal form.
    target: joinUri({ ...uri, origin: "" }),
  };
}
