import { malformed } from "../parameters.ts";

/** The claims that the standard defines. Each is understood here, or refused by name. */
export interface UriSigningClaims {
  readonly iss?: string;
  /** A JWE. */
  readonly sub?: string;
  readonly aud?: string | readonly string[];
  /** Seconds since 1970. */
  readonly exp?: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly cdniv?: number;
  readonly cdnicrit?: string;
  /** A JWE. */
  readonly cdniip?: string;
  readonly cdniuc: string;
  readonly cdniets?: number;
  readonly cdnistt?: number;
  readonly cdnistd?: number;
  readonly [extension: string]: unknown;
}

type Check = readonly [expected: string, isRight: (value: unknown) => boolean];

const TEXT: Check = ["text", (value) => typeof value === "string" && value !== ""];
// Up to the last instant of a Date: what is beyond it is no time, and compares as false with all.
const TIME: Check = ["seconds since 1970", (value) => typeof value === "number" && value >= 0 && value <= 8.64e12];

const CLAIMS: Readonly<Record<string, Check>> = {
  iss: TEXT,
  sub: TEXT,
  aud: ["text or a list of it", (value) => (Array.isArray(value) ? value : [value]).every(TEXT[1])],
  exp: TIME,
  nbf: TIME,
  iat: TIME,
  jti: TEXT,
  // "The type is JSON integer, and the value MUST be set to 1 for this version of the specification."
  cdniv: ["1", (value) => value === 1],
  cdnicrit: TEXT,
  cdniip: TEXT,
  cdniuc: TEXT,
  cdniets: ["whole seconds above 0", (value) => Number.isSafeInteger(value) && (value as number) > 0],
  cdnistt: ["0 or 1", (value) => value === 0 || value === 1],
  // "Signed JWTs MUST NOT use a negative value for the CDNI Signed Token Depth claim."
  cdnistd: ["a number of segments", (value) => Number.isSafeInteger(value) && (value as number) >= 0],
};

/**
 * Reads the payload of a token. Throws `MALFORMED` for a claim of another type, for a claim that is neither the standard's
 * nor one of `extensions`, and for a token without cdniuc, which would be one for every URI.
 */
export function readClaims(payload: unknown, extensions: readonly string[]): UriSigningClaims {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) throw bad("payload", "a JSON object");
  const claims = payload as Record<string, unknown>;
  for (const [name, value] of Object.entries(claims)) {
    if (Object.hasOwn(CLAIMS, name)) {
      const [expected, isRight] = CLAIMS[name] as Check;
      if (!isRight(value)) throw bad(name, expected);
    } else if (!extensions.includes(name)) {
      throw bad(name, "a claim of RFC 9246 or of extensions");
    }
  }
  const { cdniuc, cdnicrit, cdnistt, cdniets } = claims as UriSigningClaims;
  if (cdniuc === undefined) throw bad("cdniuc", "a URI container");
  if (cdnistt === 1 && cdniets === undefined) throw bad("cdniets", "seconds beside cdnistt");
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
      throw bad("cdnicrit", "extension claims that are there, each once");
    }
  }
}

function bad(claim: string, expected: string): Error {
  return malformed(claim, "claim", expected);
}
