import type { ReceivedRequest } from "../../../core/contracts.ts";
import { refusal } from "../../../core/errors.ts";
import { parseEpoch } from "../../../core/validity.ts";
import { isBelowPrefix, readPrefix } from "../../../edge/google-cdn.ts";
import { checkBelow, takeTokens, unsignedParameters } from "../../../edge/query.ts";
import type { EdgeToken } from "../../../edge/verify.ts";
import { cookieValue } from "../../../wire/cookie.ts";
import { fromBase64url, latin1 } from "../../../wire/encoding.ts";
import { matchesGlob } from "../../../wire/glob.ts";
import { type Network, parseCidr } from "../../../wire/ip.ts";
import { malformed } from "../../../wire/parameters.ts";
import { FIELDS, type TokenFields, tokenStringToSign } from "./canonical.ts";

/** What a token grants in addition to the path. */
export interface MediaCdnTokenFacts {
  /** The URL below which everything is granted, if the token has one. */
  readonly prefix: string | undefined;
  /** The patterns of the token, if it has any: the path must match one of them. */
  readonly pathGlobs: readonly string[] | undefined;
  readonly sessionId: string | undefined;
  readonly data: string | undefined;
  /** Names of the request headers whose values are signed. */
  readonly signedHeaders: readonly string[];
}

/** A token that has been read. */
export interface MediaCdnToken extends EdgeToken {
  /** `hmac=…` or `Signature=…`. */
  readonly proof: string;
  readonly signed: string;
  readonly networks: readonly Network[] | undefined;
  readonly facts: MediaCdnTokenFacts;
}

const PROOF = /^(?:hmac=(?:[0-9a-f]{40}|[0-9a-f]{64})|Signature=[A-Za-z0-9_-]{85}[AQgw])$/;

/** Reads a token in the query or in a cookie. */
export function parseMediaCdnToken(
  received: ReceivedRequest,
  { parameter, cookie }: { readonly parameter: string; readonly cookie: string },
  allowUnsigned: readonly string[] | undefined,
): MediaCdnToken {
  const { request, wire } = received;
  const { own, others } = takeTokens(wire.tokens, [parameter]);
  const inCookie = cookieValue(request.headers, cookie);
  if (inCookie !== undefined && own[parameter] !== undefined) {
    throw refusal("AMBIGUOUS_AUTHENTICATION", "one token, found two");
  }
  checkBelow(wire.path);
  const parts = (own[parameter] ?? inCookie ?? "").split("~");
  const proof = parts.pop() as string;
  const fields = readFields(parts);
  const { Starts, Expires = "", Headers, IPRanges, URLPrefix, PathGlobs, FullPath, SessionID, Data } = fields;
  const expiresAt = parseEpoch(Expires);
  const notBefore = parseEpoch(Starts ?? "0");
  const scopes = [FullPath, PathGlobs, URLPrefix].filter((value) => value !== undefined);
  if (!PROOF.test(proof) || scopes.length !== 1 || expiresAt === undefined || notBefore === undefined) {
    throw bad("a scope, Expires and a proof");
  }
  const prefix = URLPrefix && readPrefix(URLPrefix);
  return {
    proof,
    signed: tokenStringToSign(fields, { path: wire.path, headers: request.headers, code: "MALFORMED" }),
    notBefore,
    expiresAt,
    networks: IPRanges === undefined ? undefined : readRanges(IPRanges),
    path: wire.path,
    target: wire.path,
    unsigned: unsignedParameters(others, allowUnsigned),
    facts: {
      prefix,
      pathGlobs: PathGlobs?.split(/[,!]/),
      sessionId: SessionID,
      data: Data,
      signedHeaders: Headers?.toLowerCase().split(",") ?? [],
    },
  };
}

/**
 * Refuses a path that the token is not for. To be asked after the signature has been verified: patterns are the work that
 * their author makes.
 */
export function checkTokenPath(
  { origin }: ReceivedRequest,
  { path, facts: { prefix, pathGlobs } }: MediaCdnToken,
): void {
  if (
    (prefix && !isBelowPrefix(origin + path, prefix)) ||
    pathGlobs?.some((glob) => matchesGlob(glob, path)) === false
  ) {
    throw refusal("SIGNATURE_MISMATCH", "a path that the token is for");
  }
}

function bad(expected: string): Error {
  return malformed("token", "form", expected);
}

/** The fields in the order of the token, each of them once; FullPath has no value, and no `=`. */
function readFields(parts: readonly string[]): TokenFields {
  const fields: TokenFields = {};
  for (const part of parts) {
    const [name, ...rest] = part.split("=");
    const value = rest.join("=");
    const field = FIELDS.find((known) => known === name);
    const isBad = field === "FullPath" ? rest.length > 0 : value === "";
    if (field === undefined || fields[field] !== undefined || isBad) {
      throw bad(`each of ${FIELDS.join()} once`);
    }
    fields[field] = value;
  }
  return fields;
}

function readRanges(text: string): readonly Network[] {
  const ranges = latin1(fromBase64url(text) ?? new Uint8Array())
    .split(",")
    .map(parseCidr);
  if (ranges.every((range) => range !== undefined)) return ranges;
  throw bad("IPRanges as CIDR networks");
}
