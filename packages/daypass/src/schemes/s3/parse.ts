import type { ReceivedRequest, WireRequest } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { basicInstant } from "../../core/time.ts";
import { AWS4, type CredentialScope, type EncodedPair } from "../../core/v4.ts";
import { uriEncode } from "../../wire/encoding.ts";
import { malformed } from "../../wire/parameters.ts";
import { formDecode, hasHeader } from "../../wire/raw-target.ts";
import {
  type DayScope,
  dayScope,
  ownQuery,
  readPath,
  type SignedHeader,
  s3Query,
  UNSIGNED_PAYLOAD,
} from "./canonical.ts";
import { readParameters } from "./parameters.ts";
import { readSignedHeaders } from "./signed-headers.ts";

/** The longest life of a SigV4 URL: seven days. */
export const MAX_EXPIRES = 604_800;

/** A SigV4 query-signed request, read strictly. Nothing in it has been verified. */
export interface ParsedS3 {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** `X-Amz-Date` as sent. */
  readonly time: string;
  /** In milliseconds since 1970, as is the end. */
  readonly signedAt: number;
  readonly expiresAt: number;
  readonly expires: number;
  readonly sessionToken: string | undefined;
  readonly signature: string;
  readonly signedHeaders: string;
  /** The headers that the list names; one that the request lacks has no values. */
  readonly headers: readonly SignedHeader[];
  readonly payload: string;
  readonly path: string;
  readonly decodedPath: string;
  readonly query: string;
  /** The parameters that are not part of the signature's own, decoded, in wire order. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

const MARKER = /[?&]X-Amz-(?:Algorithm|Credential|Signature)=/;
// Read first as it nearly always comes first: then the rest of the target is not searched.
const OWN_ALGORITHM = /[?&]X-Amz-Algorithm=AWS4-HMAC-SHA256&/;

/** Tells by parameter names whether a request is signed with SigV4 in its query. A set of regions is SigV4A's. */
export function detectS3({ target }: WireRequest): boolean {
  return OWN_ALGORITHM.test(target) || (MARKER.test(target) && !target.includes("X-Amz-Region-Set="));
}

const SESSION = /[?&]X-Amz-S3session-Token=/;

/** The parameter that only S3 Express has. */
export function hasExpressSession({ target }: WireRequest): boolean {
  return SESSION.test(target);
}

/** Reads a query-signed request. Throws `MALFORMED`, `UNSIGNED_HEADER` or `AMBIGUOUS_AUTHENTICATION`. */
export function parseS3({ request, wire }: ReceivedRequest): ParsedS3 {
  const parameters = readParameters(wire);
  if (hasHeader(request.headers, "authorization")) {
    throw refusal(
      "AMBIGUOUS_AUTHENTICATION",
      "one signature, found an Authorization header beside a signed query: send one of them",
    );
  }
  const { credential, signedHeaders, sessionToken, contentSha256, others, canonicalQuery } = parameters;
  const { accessKeyId, scope, query: scopeQuery, isCanonical } = readCredential(credential);
  const { text: time, ms: signedAt } = basicInstant(parameters.time);
  if (Number.isNaN(signedAt)) throw malformed("X-Amz-Date", "form", "a real instant as YYYYMMDDTHHMMSSZ");
  if (time.slice(0, 8) !== scope.date) {
    throw malformed("X-Amz-Credential", "date-mismatch", `one with the date of ${time}, found ${scope.date}`, {
      found: scope.date,
      expected: time.slice(0, 8),
    });
  }
  const expires = parseExpires(parameters.expires);
  const headers = readSignedHeaders(request, signedHeaders, "X-Amz-SignedHeaders");
  const { path, decodedPath } = readPath(wire.path);
  return {
    accessKeyId,
    scope,
    time,
    signedAt,
    expiresAt: signedAt + expires * 1000,
    expires,
    sessionToken,
    signature: parameters.signature,
    signedHeaders,
    headers,
    payload: payloadLine(contentSha256, headers),
    path,
    decodedPath,
    query:
      isCanonical && canonicalQuery !== undefined
        ? canonicalQuery
        : s3Query(
            ownQuery({ query: scopeQuery, time, expiresIn: parameters.expires, sessionToken, signedHeaders }),
            encodeOthers(others, contentSha256),
          ),
    parameters: others,
  };
}

function encodeOthers(others: ParsedS3["parameters"], contentSha256: string | undefined): readonly EncodedPair[] {
  const pairs = others.map(([name, value]): EncodedPair => [uriEncode(name), uriEncode(value)]);
  return contentSha256 === undefined ? pairs : [...pairs, ["X-Amz-Content-Sha256", uriEncode(contentSha256)]];
}

interface Credential extends DayScope {
  readonly accessKeyId: string;
  /** Whether it was spelled as it is signed. */
  readonly isCanonical: boolean;
}

// Nearly all requests of a day name one credential, and reading it costs as much as one of the hashes.
let lastCredential: { readonly text: string; readonly credential: Credential } | undefined;

function readCredential(text: string): Credential {
  if (lastCredential?.text === text) return lastCredential.credential;
  const { accessKeyId, scope } = parseCredential(formDecode(text), "X-Amz-Credential");
  const day = dayScope(accessKeyId, scope);
  const credential = { accessKeyId, ...day, isCanonical: day.query.endsWith(`=${text}`) };
  lastCredential = { text, credential };
  return credential;
}

/** Splits `<access key id>/<date>/<region>/<service>/aws4_request` from the right: compatibles allow `/` in key ids. */
export function parseCredential(
  text: string,
  parameter: string,
): { readonly accessKeyId: string; readonly scope: CredentialScope } {
  const parts = text.split("/");
  const [date = "", region = "", service = "", terminator = ""] = parts.slice(-4);
  const accessKeyId = parts.slice(0, -4).join("/");
  const problem =
    accessKeyId === "" || region === "" || service === ""
      ? "credential"
      : terminator !== AWS4.terminator
        ? "terminator"
        : !/^\d{8}$/.test(date) && "date-form";
  if (problem) {
    const found = problem === "terminator" ? terminator : date;
    throw malformed(parameter, problem, "<access key id>/YYYYMMDD/<region>/<service>/aws4_request", { found });
  }
  return { accessKeyId, scope: { date, region, service } };
}

/** Says of a signature that did not match what is wrong with its form. Throws `MALFORMED`. */
export function checkSignatureForm(signature: string): void {
  if (!/^[0-9a-f]{64}$/.test(signature)) {
    throw malformed("X-Amz-Signature", "form", "64 lower-case hex digits");
  }
}

export function parseExpires(text: string): number {
  // Digit by digit, as a pattern and a conversion cost several times as much.
  let seconds = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    seconds = digit >= 0 && digit <= 9 ? seconds * 10 + digit : Number.NaN;
  }
  if (seconds <= MAX_EXPIRES && text !== "") return seconds;
  const problem = !/^-?\d+$/.test(text) ? "not-a-number" : text.startsWith("-") ? "negative" : "too-large";
  throw malformed("X-Amz-Expires", problem, `whole seconds, at most ${MAX_EXPIRES} (a week)`);
}

export function payloadLine(parameter: string | undefined, headers: readonly SignedHeader[]): string {
  const header = headers.find(({ name }) => name === "x-amz-content-sha256")?.values;
  if (header !== undefined && header.length !== 1) {
    throw malformed("x-amz-content-sha256", "form", "one signed header");
  }
  const value = header?.[0];
  if (parameter !== undefined && value !== undefined && parameter !== value) {
    throw malformed("X-Amz-Content-Sha256", "conflict", "the same in header and parameter");
  }
  return value ?? parameter ?? UNSIGNED_PAYLOAD;
}
