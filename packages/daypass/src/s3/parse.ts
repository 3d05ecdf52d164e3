import { DaypassError } from "../errors.ts";
import type { ReceivedRequest, WireRequest } from "../scheme.ts";
import { parseBasicTime } from "../time.ts";
import { AWS4, type CredentialScope, canonicalQuery, type EncodedPair, scopeText } from "../v4.ts";
import { formDecode, hasHeader, headerValues, percentDecode, type QueryToken } from "../wire.ts";
import { canonicalPath, canonicalText, type SignedHeader, UNSIGNED_PAYLOAD } from "./canonical.ts";

/** The longest life of a SigV4 URL: seven days. */
export const MAX_EXPIRES = 604_800;

/** A SigV4 query-signed request, read strictly. Nothing in it has been verified. */
export interface ParsedS3 {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly scopeText: string;
  /** `X-Amz-Date` as sent. */
  readonly time: string;
  readonly signedAt: Date;
  readonly expiresAt: Date;
  readonly expires: number;
  readonly sessionToken: string | undefined;
  readonly signature: string;
  readonly signedHeaders: string;
  /** The headers that the list names; one that the request lacks has no values. */
  readonly headers: readonly SignedHeader[];
  readonly payload: string;
  readonly path: string;
  readonly query: string;
  /** The parameters that are not part of the signature's own, decoded, in wire order. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

const MARKER = /[?&]X-Amz-(?:Algorithm|Credential|Signature)=/;

/** Tells by parameter names whether a request is signed with SigV4 in its query. */
export function detectS3(request: WireRequest): boolean {
  return MARKER.test(request.target);
}

const AUTH_NAMES = [
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-SignedHeaders",
  "X-Amz-Signature",
  "X-Amz-Security-Token",
  "X-Amz-Content-Sha256",
] as const;
type AuthName = (typeof AUTH_NAMES)[number];
const LOWER_NAMES: ReadonlySet<string> = new Set(AUTH_NAMES.map((name) => name.toLowerCase()));

/** The parameters that carry the signature, in canonical spelling, and what else the query holds. */
interface Parameters {
  algorithm: string | undefined;
  credential: string | undefined;
  date: string | undefined;
  expires: string | undefined;
  signedHeaders: string | undefined;
  signature: string | undefined;
  securityToken: string | undefined;
  contentSha256: string | undefined;
  /** All but the signature, for the canonical query. */
  readonly pairs: EncodedPair[];
  readonly others: (readonly [name: string, value: string])[];
}

function readParameters(tokens: readonly QueryToken[]): Parameters {
  const found: Parameters = {
    algorithm: undefined,
    credential: undefined,
    date: undefined,
    expires: undefined,
    signedHeaders: undefined,
    signature: undefined,
    securityToken: undefined,
    contentSha256: undefined,
    pairs: [],
    others: [],
  };
  for (const { name, value = "" } of tokens) {
    const text = canonicalText(value);
    // A switch on the literal names is what V8 does fastest; any other spelling of them is refused below.
    switch (name) {
      case "X-Amz-Algorithm":
        found.algorithm = once(name, found.algorithm, text);
        break;
      case "X-Amz-Credential":
        found.credential = once(name, found.credential, text);
        break;
      case "X-Amz-Date":
        found.date = once(name, found.date, text);
        break;
      case "X-Amz-Expires":
        found.expires = once(name, found.expires, text);
        break;
      case "X-Amz-SignedHeaders":
        found.signedHeaders = once(name, found.signedHeaders, text);
        break;
      case "X-Amz-Signature":
        found.signature = once(name, found.signature, text);
        continue;
      case "X-Amz-Security-Token":
        found.securityToken = once(name, found.securityToken, text);
        break;
      case "X-Amz-Content-Sha256":
        found.contentSha256 = once(name, found.contentSha256, text);
        break;
      default:
        found.others.push(otherParameter(name, value));
        found.pairs.push([canonicalText(name), text]);
        continue;
    }
    found.pairs.push([name, text]);
  }
  return found;
}

function once(name: string, before: string | undefined, value: string): string {
  if (before !== undefined) throw malformed(name, "duplicate", "expected the parameter once, found it again");
  return value;
}

// `x-amz-expires` or `X%2DAmz-Expires` beside `X-Amz-Expires` is one more parameter for SigV4, but nobody means it.
function otherParameter(name: string, value: string): readonly [string, string] {
  const decoded = formDecode(name);
  if (LOWER_NAMES.has(decoded.toLowerCase())) {
    throw malformed(decoded, "spelling", "expected the parameter in its documented spelling");
  }
  return [decoded, formDecode(value)];
}

/** Reads a query-signed request. Throws `MALFORMED`, `UNSIGNED_HEADER` or `AMBIGUOUS_AUTHENTICATION`. */
export function parseS3({ request, wire }: ReceivedRequest): ParsedS3 {
  const auth = readParameters(wire.tokens);
  const algorithm = required(auth.algorithm, "X-Amz-Algorithm");
  const credential = required(auth.credential, "X-Amz-Credential");
  const time = required(auth.date, "X-Amz-Date");
  const expiresText = required(auth.expires, "X-Amz-Expires");
  const signedHeaders = percentDecode(required(auth.signedHeaders, "X-Amz-SignedHeaders"));
  const signature = required(auth.signature, "X-Amz-Signature");

  if (algorithm !== AWS4.algorithm) throw malformed("X-Amz-Algorithm", "algorithm", `expected ${AWS4.algorithm}`);
  if (hasHeader(request.headers, "authorization")) {
    throw new DaypassError(
      "AMBIGUOUS_AUTHENTICATION",
      "expected one signature, found an Authorization header beside a signed query: send one of them",
    );
  }
  const { accessKeyId, scope, scopeText } = readCredential(credential);
  const signedAt = parseBasicTime(time);
  if (signedAt === undefined) throw malformed("X-Amz-Date", "form", "expected a real instant as YYYYMMDDTHHMMSSZ");
  if (!time.startsWith(scope.date)) {
    throw malformed("X-Amz-Credential", "date-mismatch", `expected the date of X-Amz-Date (${time})`, scope.date);
  }
  const expires = parseExpires(expiresText);
  if (!SIGNATURE.test(signature)) {
    throw malformed("X-Amz-Signature", "form", "expected 64 lower-case hexadecimal digits");
  }
  const headers = readSignedHeaders(request, signedHeaders, "X-Amz-SignedHeaders");
  const { securityToken, contentSha256 } = auth;
  return {
    accessKeyId,
    scope,
    scopeText,
    time,
    signedAt,
    expiresAt: new Date(signedAt.getTime() + expires * 1000),
    expires,
    sessionToken: securityToken === undefined ? undefined : percentDecode(securityToken),
    signature,
    signedHeaders,
    headers,
    payload: payloadLine(contentSha256 === undefined ? undefined : percentDecode(contentSha256), headers),
    path: canonicalPath(wire.path),
    query: canonicalQuery(auth.pairs),
    parameters: auth.others,
  };
}

const SIGNATURE = /^[0-9a-f]{64}$/;

function required(value: string | undefined, name: AuthName): string {
  if (value !== undefined) return value;
  throw malformed(name, "missing", "expected all six parameters of a presigned URL, this one is not there");
}

interface Credential {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly scopeText: string;
}

// Nearly all requests of a day name one credential, and reading it costs as much as one of the hashes.
let lastCredential: { readonly text: string; readonly credential: Credential } | undefined;

function readCredential(text: string): Credential {
  if (lastCredential?.text === text) return lastCredential.credential;
  const { accessKeyId, scope } = parseCredential(percentDecode(text), "X-Amz-Credential");
  const credential = { accessKeyId, scope, scopeText: scopeText(AWS4, scope) };
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
  if (accessKeyId === "" || region === "" || service === "") {
    throw malformed(parameter, "form", "expected <access key id>/YYYYMMDD/<region>/<service>/aws4_request");
  }
  if (terminator !== AWS4.terminator)
    throw malformed(parameter, "terminator", `expected the credential to end in ${AWS4.terminator}`, terminator);
  if (!/^\d{8}$/.test(date))
    throw malformed(parameter, "date-form", "expected the date of the credential as YYYYMMDD", date);
  return { accessKeyId, scope: { date, region, service } };
}

function parseExpires(text: string): number {
  if (/^-\d+$/.test(text))
    throw malformed("X-Amz-Expires", "negative", "expected a number of seconds that is not negative");
  if (!/^\d+$/.test(text)) throw malformed("X-Amz-Expires", "not-a-number", "expected a number of seconds");
  const seconds = Number(text);
  if (seconds > MAX_EXPIRES)
    throw malformed("X-Amz-Expires", "too-large", `expected at most ${MAX_EXPIRES} seconds (a week)`);
  return seconds;
}

// Proxies and SDKs add these to requests that they did not sign, and no operation reads them.
const HARMLESS_UNSIGNED: ReadonlySet<string> = new Set(["x-amz-content-sha256", "x-amz-cf-id"]);

/**
 * Collects the signed headers. `host` must be among them, and every other `x-amz-*` header must be too: an unsigned
 * `x-amz-copy-source` would turn an upload into a read of any object (CVE-2026-54330).
 */
export function readSignedHeaders(request: WireRequest, list: string, parameter: string): readonly SignedHeader[] {
  if (list === "host" && !hasUnsigned(request.headers)) return [{ name: "host", values: [request.authority] }];
  const names = list.split(";");
  const unique = new Set(names);
  if (unique.size !== names.length || names.some((name) => !/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name))) {
    throw malformed(parameter, "form", "expected lower-case header names, each once, joined by `;`");
  }
  if (!unique.has("host")) throw malformed(parameter, "host", "expected `host` among the signed headers");
  const unsigned = new Set(
    request.headers.map(([name]) => name.toLowerCase()).filter((name) => mustBeSigned(name) && !unique.has(name)),
  );
  if (unsigned.size > 0) {
    throw new DaypassError(
      "UNSIGNED_HEADER",
      `expected every x-amz-* header to be signed, found unsigned: ${[...unsigned].join(", ")}. Leave them out, or sign them with the URL`,
      { details: { headers: [...unsigned] } },
    );
  }
  return names.map((name) => ({
    name,
    values: name === "host" ? [request.authority] : headerValues(request.headers, name),
  }));
}

function hasUnsigned(headers: WireRequest["headers"]): boolean {
  for (const [name] of headers) if (mustBeSigned(name)) return true;
  return false;
}

function mustBeSigned(name: string): boolean {
  // Most headers are told apart by their first letter, without a lower-case copy.
  const first = name.charCodeAt(0) | 32;
  if (first !== 120 || name.charCodeAt(1) !== 45) return false;
  const lower = name.toLowerCase();
  return lower.startsWith("x-amz-") && !HARMLESS_UNSIGNED.has(lower);
}

function payloadLine(parameter: string | undefined, headers: readonly SignedHeader[]): string {
  const header = headers.find(({ name }) => name === "x-amz-content-sha256")?.values;
  if (header !== undefined && header.length !== 1) {
    throw malformed("x-amz-content-sha256", "form", "expected the signed header once");
  }
  const value = header?.[0];
  if (parameter !== undefined && value !== undefined && parameter !== value) {
    throw malformed("X-Amz-Content-Sha256", "conflict", "expected the header and the parameter to agree");
  }
  return value ?? parameter ?? UNSIGNED_PAYLOAD;
}

function malformed(parameter: string, problem: string, expected: string, found?: string): DaypassError {
  return new DaypassError(
    "MALFORMED",
    `${parameter}: ${expected}${found === undefined ? "" : `, found ${JSON.stringify(found)}`}`,
    {
      details: { parameter, problem, ...(found === undefined ? {} : { found }) },
    },
  );
}
