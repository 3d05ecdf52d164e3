import type { QueryToken, ReceivedRequest, WireRequest, WireTarget } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { basicInstant } from "../../core/time.ts";
import { AWS4, type CredentialScope, type EncodedPair } from "../../core/v4.ts";
import { uriEncode } from "../../wire/encoding.ts";
import { malformed } from "../../wire/parameters.ts";
import { formDecode, groupHeaders, percentDecode, refuseHeaderAuth } from "../../wire/raw-target.ts";
import {
  type DayScope,
  dayScope,
  MAX_EXPIRES,
  ownQuery,
  readPath,
  type SignedHeader,
  s3Query,
  UNSIGNED_PAYLOAD,
} from "./canonical.ts";

// But for those that proxies and SDKs add to requests that they did not sign, and that no operation reads.
const MUST_BE_SIGNED = /^x-amz-(?!(?:content-sha256|cf-id)$)/i;

/**
 * Collects the signed headers. `host` must be among them, and every other `x-amz-*` header must be too: an unsigned
 * `x-amz-copy-source` would turn an upload into a read of any object (CVE-2026-54330).
 */
export function readSignedHeaders(request: WireRequest, list: string, parameter: string): readonly SignedHeader[] {
  // Nearly all lists name the host alone. To read them like the others takes a sixth of the time to verify.
  if (list === "host" && !request.headers.some((header) => mustBeSigned(header[0]))) {
    return [{ name: "host", values: [request.authority] }];
  }
  const names = list.split(";");
  const unique = new Set(names);
  if (unique.size !== names.length || names.some((name) => !/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name))) {
    throw malformed(parameter, "names", "lower-case header names, each once, joined by `;`");
  }
  if (!unique.has("host")) throw malformed(parameter, "host", "a list with `host`");
  const received = groupHeaders(request.headers);
  const unsigned = [...received.keys()].filter((name) => mustBeSigned(name) && !unique.has(name));
  if (unsigned.length > 0) {
    throw refusal(
      "UNSIGNED_HEADER",
      `the headers ${unsigned.join(", ")} are not signed. Leave them out, or sign them with the URL`,
      { headers: unsigned },
    );
  }
  return names.map((name) => ({
    name,
    values: name === "host" ? [request.authority] : (received.get(name) ?? []),
  }));
}

function mustBeSigned(name: string): boolean {
  // The first letter rules out most headers in a fraction of the pattern's time.
  return (name.charCodeAt(0) | 32) === 120 && MUST_BE_SIGNED.test(name);
}

/** The parameters of a query-signed request. Which values they have is checked by form, not by meaning. */
export interface S3Parameters {
  /** As on the wire. */
  readonly credential: string;
  readonly time: string;
  readonly expires: string;
  /** Decoded. */
  readonly signedHeaders: string;
  readonly signature: string;
  readonly sessionToken: string | undefined;
  readonly contentSha256: string | undefined;
  /** What is not part of the signature's own, decoded, in wire order. */
  readonly others: readonly (readonly [name: string, value: string])[];
  /** The canonical query, if it is one part of the wire and the credential is in canonical spelling. */
  readonly canonicalQuery: string | undefined;
}

const NO_OTHERS: S3Parameters["others"] = [];
const START = `X-Amz-Algorithm=${AWS4.algorithm}&X-Amz-Credential=`;
const DATE = "&X-Amz-Date=";
const EXPIRES = "&X-Amz-Expires=";
const END = "&X-Amz-SignedHeaders=host&X-Amz-Signature=";

/** Reads the query, strictly: every parameter of the signature once, in its documented spelling. Throws `MALFORMED`. */
export function readParameters(wire: WireTarget): S3Parameters {
  return readPlain(wire.query) ?? readTokens(wire.tokens);
}

// Nearly all requests of a day begin alike, and most URLs of a service live equally long: two comparisons in place of six.
let lastStart = { text: "none", credential: "" };
let lastLife = { text: "none", expires: "" };

/**
 * The usual spelling, which `s3Query` makes without further parameters, is cut at fixed positions: a fifth of
 * the time of the loop below, with the same values. Each use checks the text between the cuts.
 */
function readPlain(query: string): S3Parameters | undefined {
  if (query.slice(0, lastStart.text.length) !== lastStart.text) {
    const text = query.slice(0, query.indexOf("&", START.length) + DATE.length);
    if (!text.startsWith(START) || !text.endsWith(DATE)) return undefined;
    lastStart = { text, credential: text.slice(START.length, -DATE.length) };
  }
  const time = lastStart.text.length;
  const signature = query.length - 64;
  const life = query.slice(time + 16, signature);
  if (life !== lastLife.text) {
    const expires = life.slice(EXPIRES.length, -END.length);
    if (life !== EXPIRES + expires + END || expires.includes("&")) return undefined;
    lastLife = { text: life, expires };
  }
  return {
    credential: lastStart.credential,
    time: query.slice(time, time + 16),
    expires: lastLife.expires,
    signedHeaders: "host",
    signature: query.slice(signature),
    sessionToken: undefined,
    contentSha256: undefined,
    others: NO_OTHERS,
    canonicalQuery: query.slice(0, signature - "&X-Amz-Signature=".length),
  };
}

const REQUIRED = ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"] as const;
const OWN: readonly string[] = [...REQUIRED, "Security-Token", "Content-Sha256"].map((name) => `X-Amz-${name}`);

function readTokens(tokens: readonly QueryToken[]): S3Parameters {
  const own = new Map<string, string>();
  const others: (readonly [string, string])[] = [];
  for (const { name, value = "" } of tokens) {
    if (!OWN.includes(name)) others.push(otherParameter(name, value));
    else if (own.has(name)) throw malformed(name, "duplicate", "one parameter");
    else own.set(name, value);
  }
  for (const name of OWN.slice(0, REQUIRED.length))
    if (!own.has(name)) throw malformed(name, "missing", "one of six parameters");
  const value = (name: string): string => own.get(`X-Amz-${name}`) as string;
  const optional = (name: string): string | undefined =>
    own.has(`X-Amz-${name}`) ? formDecode(value(name)) : undefined;
  if (value("Algorithm") !== AWS4.algorithm) throw malformed("X-Amz-Algorithm", "algorithm", AWS4.algorithm);
  return {
    credential: value("Credential"),
    time: value("Date"),
    expires: value("Expires"),
    signedHeaders: percentDecode(value("SignedHeaders")),
    signature: value("Signature"),
    sessionToken: optional("Security-Token"),
    contentSha256: optional("Content-Sha256"),
    others,
    canonicalQuery: undefined,
  };
}

// `x-amz-expires` or `X%2DAmz-Expires` beside `X-Amz-Expires` is another parameter for SigV4, but always a mistake.
function otherParameter(name: string, value: string): readonly [string, string] {
  const decoded = formDecode(name);
  const lower = decoded.toLowerCase();
  if (OWN.some((own) => own.toLowerCase() === lower)) {
    throw malformed(decoded, "spelling", "its documented spelling");
  }
  return [decoded, formDecode(value)];
}

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
  /** The headers in the list. A header that the request lacks has no values. */
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

/** Returns, by parameter names, whether a request is signed with SigV4 in its query. Only SigV4A has a set of regions. */
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
  refuseHeaderAuth(request.headers);
  const { credential, signedHeaders, sessionToken, contentSha256, others, canonicalQuery } = parameters;
  const { accessKeyId, scope, query: scopeQuery, isCanonical } = readCredential(credential);
  const { text: time, ms: signedAt } = basicInstant(parameters.time);
  if (Number.isNaN(signedAt)) throw malformed("X-Amz-Date", "form", "a real instant as YYYYMMDDTHHMMSSZ");
  if (time.slice(0, 8) !== scope.date) {
    throw malformed("X-Amz-Credential", "date-mismatch", `one with the date of ${time}, not ${scope.date}`, {
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
  /** Whether the wire has the signed spelling. */
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
