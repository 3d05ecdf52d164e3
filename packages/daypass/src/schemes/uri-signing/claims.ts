import { malformed } from "../../wire/parameters.ts";

/** The claims that the standard defines. Each is understood here, or refused by name. */
export interface UriSigningClaims {
  /** Who has signed. */
  readonly iss?: string;
  /** A JWE. */
  readonly sub?: string;
  /** Who it is for: one of these must be the verifier's audience. */
  readonly aud?: string | readonly string[];
  /** Seconds since 1970. */
  readonly exp?: number;
  /** Seconds since 1970: first instant of validity. */
  readonly nbf?: number;
  /** Seconds since 1970: when it was signed. It neither grants nor ends anything, but must not be in the future. */
  readonly iat?: number;
  /** A name for one use. */
  readonly jti?: string;
  /** The version of the standard: 1. */
  readonly cdniv?: number;
  /** Names of claims that a verifier must understand, separated by commas. */
  readonly cdnicrit?: string;
  /** A JWE. */
  readonly cdniip?: string;
  /** The URIs for which it is valid: `hash:` or `regex:`, followed by the value. */
  readonly cdniuc: string;
  /** Lifetime of the next token of a chain in seconds, from the time of its renewal. */
  readonly cdniets?: number;
  /** How the next token travels: 1 in a cookie, 0 not at all. */
  readonly cdnistt?: number;
  /** Number of leading path segments for which the cookie of the next token is valid; 0 is the whole host. */
  readonly cdnistd?: number;
  readonly [extension: string]: unknown;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string" && value !== "";
// Up to the last instant of a Date: a later time compares as false with everything.
const isTime: Check = (value) => typeof value === "number" && value >= 0 && value <= 8.64e12;
// "Signed JWTs MUST NOT use a negative value for the CDNI Signed Token Depth claim."
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

const CLAIMS: Readonly<Record<string, Check>> = {
  iss: isText,
  sub: isText,
  aud: (value) => [value].flat().every(isText),
  exp: isTime,
  nbf: isTime,
  iat: isTime,
  jti: isText,
  // "The type is JSON integer, and the value MUST be set to 1 for this version of the specification."
  cdniv: (value) => value === 1,
  cdnicrit: isText,
  cdniip: isText,
  cdniuc: isText,
  cdniets: (value) => isCount(value) && value !== 0,
  cdnistt: (value) => value === 0 || value === 1,
  cdnistd: isCount,
};

/**
 * Reads the payload of a token. Throws `MALFORMED` for a claim of another type, for a claim that is neither the standard's
 * nor one of `extensions`, and for a token without cdniuc, which would be one for every URI.
 */
export function readClaims(payload: unknown, extensions: readonly string[]): UriSigningClaims {
  if (Object(payload) !== payload || Array.isArray(payload)) throw bad("payload", "an object");
  const claims = payload as Record<string, unknown>;
  for (const [name, value] of Object.entries(claims)) {
    if (Object.hasOwn(CLAIMS, name)) {
      if (CLAIMS[name]?.(value) !== true) throw bad(name, "RFC 9246 defines it");
    } else if (!extensions.includes(name)) {
      throw bad(name, "one of RFC 9246 or extensions");
    }
  }
  const { cdniuc, cdnicrit, cdnistt, cdniets } = claims as UriSigningClaims;
  if (cdniuc === undefined) throw bad("cdniuc", "a container");
  if (cdnistt === 1 && cdniets === undefined) throw bad("cdniets", "one beside cdnistt");
  if (cdnicrit !== undefined) checkCritical(cdnicrit.split(","), claims);
  return claims as UriSigningClaims;
}

/**
 * "Producers MUST NOT include claim names defined by this specification, duplicate names, or names that do not occur as claim
 * names within the Signed JWT". Those that occur have been found in `extensions`.
 */
function checkCritical(names: readonly string[], claims: Readonly<Record<string, unknown>>): void {
  for (const [i, name] of names.entries()) {
    if (!Object.hasOwn(claims, name) || Object.hasOwn(CLAIMS, name) || names.indexOf(name) !== i) {
      throw bad("cdnicrit", "extensions of the token, each once");
    }
  }
}

function bad(claim: string, expected: string): Error {
  return malformed(claim, "claim", expected);
}
