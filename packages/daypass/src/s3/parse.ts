import { DaypassError } from "../errors.ts";
import type { ReceivedRequest, WireRequest } from "../scheme.ts";
import { parseBasicTime } from "../time.ts";
import { AWS4, type CredentialScope, canonicalQuery, type EncodedPair, scopeText } from "../v4.ts";
import { formDecode, headerValues } from "../wire.ts";
import { canonicalPair, canonicalPath, type SignedHeader, UNSIGNED_PAYLOAD } from "./canonical.ts";

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

const REQUIRED = [
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-SignedHeaders",
  "X-Amz-Signature",
] as const;
const OPTIONAL = ["X-Amz-Security-Token", "X-Amz-Content-Sha256"] as const;
type AuthParameter = (typeof REQUIRED)[number] | (typeof OPTIONAL)[number];
const AUTH_PARAMETERS: ReadonlySet<string> = new Set([...REQUIRED, ...OPTIONAL]);

/** Reads a query-signed request. Throws `MALFORMED`, `UNSIGNED_HEADER` or `AMBIGUOUS_AUTHENTICATION`. */
export function parseS3({ request, wire }: ReceivedRequest): ParsedS3 {
  const auth = new Map<string, string>();
  const parameters: (readonly [string, string])[] = [];
  const pairs: EncodedPair[] = [];
  for (const token of wire.tokens) {
    const name = formDecode(token.name);
    const value = token.value === undefined ? "" : formDecode(token.value);
    if (!name.startsWith("X-Amz-") || !AUTH_PARAMETERS.has(name)) {
      // `x-amz-signature` beside `X-Amz-Signature` is not a repeat for SigV4, but nobody means it.
      if (/^x-amz-/i.test(name) && isAuthSpelling(name))
        throw malformed(name, "case", "expected the parameter in its documented spelling");
      parameters.push([name, value]);
    } else if (auth.has(name)) {
      throw malformed(name, "duplicate", "expected the parameter once, found it again");
    } else {
      auth.set(name, value);
      if (name === "X-Amz-Signature") continue;
    }
    pairs.push(canonicalPair(token.name, token.value));
  }
  for (const name of REQUIRED) {
    if (!auth.has(name))
      throw malformed(name, "missing", "expected all six parameters of a presigned URL, this one is not there");
  }
  const get = (name: AuthParameter): string => auth.get(name) as string;

  if (get("X-Amz-Algorithm") !== AWS4.algorithm)
    throw malformed("X-Amz-Algorithm", "algorithm", `expected ${AWS4.algorithm}`);
  if (headerValues(request.headers, "authorization").length > 0) {
    throw new DaypassError(
      "AMBIGUOUS_AUTHENTICATION",
      "expected one signature, found an Authorization header beside a signed query: send one of them",
    );
  }
  const { accessKeyId, scope } = parseCredential(get("X-Amz-Credential"), "X-Amz-Credential");
  const time = get("X-Amz-Date");
  const signedAt = parseBasicTime(time);
  if (signedAt === undefined) throw malformed("X-Amz-Date", "form", "expected a real instant as YYYYMMDDTHHMMSSZ");
  if (!time.startsWith(scope.date)) {
    throw malformed(
      "X-Amz-Credential",
      "date-mismatch",
      `expected the date of X-Amz-Date (${time}), found ${scope.date}`,
    );
  }
  const expires = parseExpires(get("X-Amz-Expires"));
  const signature = get("X-Amz-Signature");
  if (!/^[0-9a-f]{64}$/.test(signature))
    throw malformed("X-Amz-Signature", "form", "expected 64 lower-case hexadecimal digits");
  const signedHeaders = get("X-Amz-SignedHeaders");
  const headers = readSignedHeaders(request, signedHeaders, "X-Amz-SignedHeaders");
  return {
    accessKeyId,
    scope,
    scopeText: scopeText(AWS4, scope),
    time,
    signedAt,
    expiresAt: new Date(signedAt.getTime() + expires * 1000),
    expires,
    sessionToken: auth.get("X-Amz-Security-Token"),
    signature,
    signedHeaders,
    headers,
    payload: payloadLine(auth.get("X-Amz-Content-Sha256"), headers),
    path: canonicalPath(wire.path),
    query: canonicalQuery(pairs),
    parameters,
  };
}

const AUTH_SPELLINGS: ReadonlySet<string> = new Set([...AUTH_PARAMETERS].map((name) => name.toLowerCase()));

function isAuthSpelling(name: string): boolean {
  return AUTH_SPELLINGS.has(name.toLowerCase());
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
  if (list === "host" && !request.headers.some(([name]) => mustBeSigned(name)))
    return [{ name: "host", values: [request.authority] }];
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
