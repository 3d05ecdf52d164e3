import type { ReceivedRequest, WireRequest } from "../../../core/contracts.ts";
import { refusal } from "../../../core/errors.ts";
import { parseBasicTime } from "../../../core/time.ts";
import { AWS4, type CredentialScope, canonicalQuery } from "../../../core/v4.ts";
import { malformed } from "../../../wire/parameters.ts";
import { formDecode, headerValues } from "../../../wire/raw-target.ts";
import { canonicalText, readPath, type SignedHeader } from "../canonical.ts";
import { detectS3, parseCredential, readSignedHeaders } from "../parse.ts";

/** A request with a SigV4 `Authorization` header, read strictly. Nothing in it has been verified. */
export interface ParsedS3Header {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** The time of `x-amz-date` or `Date` as the string to sign spells it. */
  readonly time: string;
  readonly signedAt: Date;
  readonly sessionToken: string | undefined;
  readonly signature: string;
  readonly signedHeaders: string;
  readonly headers: readonly SignedHeader[];
  /** `x-amz-content-sha256` as sent. */
  readonly payload: string;
  readonly path: string;
  readonly decodedPath: string;
  readonly query: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

const SIGV2_MARKER = /[?&]AWSAccessKeyId=/;

/** Returns, by the header's first word, whether a request is signed with SigV4 in its `Authorization` header. */
export function detectS3Header(request: WireRequest): boolean {
  return headerValues(request.headers, "authorization").some((value) => value.startsWith(`${AWS4.algorithm} `));
}

/** Reads a header-signed request. Throws `MALFORMED`, `UNSIGNED_HEADER` or `AMBIGUOUS_AUTHENTICATION`. */
export function parseS3Header({ request, wire }: ReceivedRequest): ParsedS3Header {
  if (detectS3(request) || SIGV2_MARKER.test(request.target)) {
    throw refusal(
      "AMBIGUOUS_AUTHENTICATION",
      "the request has a signed query beside an Authorization header. Send one of them",
    );
  }
  const authorization = parseAuthorization(one(request, "authorization") ?? "");
  const { accessKeyId, scope } = parseCredential(authorization.Credential, "Authorization");
  const { time, signedAt } = signingTime(request);
  if (!time.startsWith(scope.date)) {
    throw malformed(
      "Authorization",
      "date-mismatch",
      `a credential with the date of the request (${time.slice(0, 8)}), not ${scope.date}`,
      { found: scope.date, expected: time.slice(0, 8) },
    );
  }
  const signature = authorization.Signature;
  if (!/^[0-9a-f]{64}$/.test(signature)) {
    throw malformed("Authorization", "signature", "Signature=64 lower-case hex digits");
  }
  const headers = readSignedHeaders(request, authorization.SignedHeaders, "Authorization");
  // "The x-amz-content-sha256 header is required for all AWS Signature Version 4 requests" to S3. It may be missing from
  // the list of signed headers: the last line of the canonical request covers its value.
  const payload = one(request, "x-amz-content-sha256");
  if (payload === undefined) {
    throw malformed("x-amz-content-sha256", "missing", "the header that says how the body is signed");
  }
  // Before the signature, as at Amazon. Unknown modes of chunks come after it: `readChunkedPayload` refuses them.
  if (!/^(?:[0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-.*)$/.test(payload)) {
    throw refusal(
      "UNSUPPORTED_PAYLOAD",
      "x-amz-content-sha256 as UNSIGNED-PAYLOAD or SHA-256 in 64 lower-case hex digits",
      {
        parameter: "x-amz-content-sha256",
        found: payload,
      },
    );
  }
  return {
    accessKeyId,
    scope,
    time,
    signedAt,
    sessionToken: one(request, "x-amz-security-token"),
    signature,
    signedHeaders: authorization.SignedHeaders,
    headers,
    payload,
    ...readPath(wire.path),
    query: canonicalQuery(wire.tokens.map(({ name, value = "" }) => [canonicalText(name), canonicalText(value)])),
    parameters: wire.tokens.map(({ name, value = "" }) => [formDecode(name), formDecode(value)]),
  };
}

const FIELDS = ["Credential", "SignedHeaders", "Signature"] as const;
type Authorization = Readonly<Record<(typeof FIELDS)[number], string>>;

/** `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`: these three, each once, the space after `,` optional. */
function parseAuthorization(text: string): Authorization {
  const fields: Partial<Record<(typeof FIELDS)[number], string>> = {};
  for (const part of text.slice(AWS4.algorithm.length + 1).split(",")) {
    const [, name, value] = /^ ?([A-Za-z]+)=([^\s,]+)$/.exec(part) ?? [];
    const known = FIELDS.find((field) => field === name);
    if (known === undefined || value === undefined) {
      throw malformed(
        "Authorization",
        "form",
        `${AWS4.algorithm} Credential=…, SignedHeaders=…, Signature=… and nothing else`,
      );
    }
    if (fields[known] !== undefined) throw malformed("Authorization", "duplicate", `one ${known}`);
    fields[known] = value;
  }
  for (const field of FIELDS) {
    if (fields[field] === undefined) throw malformed("Authorization", "missing", `one with ${field}`);
  }
  return fields as Authorization;
}

/** "If both are present, AWS uses the value of x-amz-date"; the time in the string to sign is always the basic format. */
function signingTime(request: WireRequest): { readonly time: string; readonly signedAt: Date } {
  const amzDate = one(request, "x-amz-date");
  if (amzDate !== undefined) {
    const signedAt = parseBasicTime(amzDate);
    if (signedAt === undefined) throw malformed("x-amz-date", "form", "a real instant as YYYYMMDDTHHMMSSZ");
    return { time: amzDate, signedAt };
  }
  const date = one(request, "date");
  if (date === undefined) throw malformed("x-amz-date", "missing", "the signing time, or Date");
  // Like Amazon, no HTTP date: its documentation allows one, its servers refuse it.
  const signedAt = parseBasicTime(date);
  if (signedAt === undefined) throw malformed("date", "form", "YYYYMMDDTHHMMSSZ, or x-amz-date in addition");
  return { time: date, signedAt };
}

function one(request: WireRequest, name: string): string | undefined {
  const values = headerValues(request.headers, name);
  if (values.length > 1) throw malformed(name, "duplicate", "one header");
  return values[0];
}
