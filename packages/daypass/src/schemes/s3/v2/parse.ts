import type { ReceivedRequest, WireRequest } from "../../../core/contracts.ts";
import { type DaypassError, refusal } from "../../../core/errors.ts";
import { parseEpoch } from "../../../core/time.ts";
import { malformed } from "../../../wire/parameters.ts";
import { formDecode, groupHeaders, oneHeader, refuseHeaderAuth } from "../../../wire/raw-target.ts";
import type { SignedHeader } from "../canonical.ts";
import { canonicalizedResource, hasControl, isAmbiguousValue, isSubResource, type Parameter } from "./canonical.ts";

/** A SigV2 query-signed request, read strictly. Nothing in it has been verified. */
export interface ParsedS3V2 {
  readonly accessKeyId: string;
  /** `Expires` as sent. */
  readonly expires: string;
  readonly expiresAt: Date;
  readonly sessionToken: string | undefined;
  /** base64 of 20 bytes. */
  readonly signature: string;
  readonly contentMd5: string;
  readonly contentType: string;
  /** `x-amz-*` headers, and parameters of such a name. */
  readonly amz: readonly SignedHeader[];
  /** The `x-amz-*` that came as headers: only these may act as such. */
  readonly amzHeaders: readonly SignedHeader[];
  readonly resource: string;
  /** Parameters that the signature covers, decoded, in wire order; the session token is not among them. */
  readonly parameters: readonly Parameter[];
  /** Parameters that nothing covers and that the verifier's options let through. */
  readonly unsignedParameters: readonly Parameter[];
}

// 20 bytes: the last of 27 digits carries four bits, so its lowest two are zero in the one canonical spelling.
export const SIGNATURE: RegExp = /^[A-Za-z0-9+/]{27}=$/;
const MARKER = /[?&]AWSAccessKeyId=/;

/** Returns, by a parameter's name, whether a request is signed with SigV2 in its query. */
export function detectS3V2(request: WireRequest): boolean {
  return MARKER.test(request.target);
}

const AUTH_PARAMETERS = ["AWSAccessKeyId", "Expires", "Signature"] as const;

export function isAuthParameter(name: string): boolean {
  return (AUTH_PARAMETERS as readonly string[]).includes(name);
}

export const SECURITY_TOKEN = "x-amz-security-token";

/** Reads a query-signed request. Throws `MALFORMED`, `AMBIGUOUS_AUTHENTICATION` or `UNSIGNED_PARAMETER`. */
export function parseS3V2(
  { request, wire, wildcard }: ReceivedRequest,
  allowUnsigned: ReadonlySet<string>,
): ParsedS3V2 {
  const seen = new Map<string, string>();
  const amzHeaders = readAmzHeaders(request);
  const amz = new Map(amzHeaders.map(({ name, values }) => [name, values]));
  const subResources: Parameter[] = [];
  const parameters: Parameter[] = [];
  const unsignedParameters: Parameter[] = [];
  const contentMd5 = oneHeader(request.headers, "content-md5");
  const contentType = oneHeader(request.headers, "content-type");

  for (const token of wire.tokens) {
    const name = formDecode(token.name);
    const value = formDecode(token.value ?? "");
    const isAuth = isAuthParameter(name);
    const isAmz = /^x-amz-/i.test(name);
    if (isAuth || isAmz || isSubResource(name)) {
      if (seen.has(name)) throw malformed(name, "duplicate", "one parameter");
      seen.set(name, value);
    }
    if (isAuth) continue;
    if (isAmz) {
      checkAmzParameter(name, value, amz);
      // boto writes it into the URL, and S3 reads the header. Both must agree.
      if (amz.has(name)) continue;
      amz.set(name, [value]);
      if (name !== SECURITY_TOKEN) parameters.push([name, value]);
    } else if (isSubResource(name)) {
      if (isAmbiguousValue(value)) throw malformed(name, "ambiguous", "a value without further parameters inside");
      subResources.push([name, value]);
      parameters.push([name, value]);
    } else if (!isCopyOfHeader(name, value, { contentMd5, contentType })) {
      if (!allowUnsigned.has(name)) throw unsigned(name);
      unsignedParameters.push([name, value]);
    }
  }
  refuseHeaderAuth(request.headers);
  for (const name of AUTH_PARAMETERS) {
    if (!seen.get(name)) throw malformed(name, "missing", "a parameter with a value");
  }
  const expires = seen.get("Expires") as string;
  const expiresAt = parseEpoch(expires);
  if (expiresAt === undefined) throw malformed("Expires", "not-a-number", "whole seconds since 1970");
  const signature = seen.get("Signature") as string;
  if (!SIGNATURE.test(signature)) {
    throw malformed("Signature", "form", "padded base64 of 20 bytes, + as %2B");
  }
  return {
    accessKeyId: seen.get("AWSAccessKeyId") as string,
    expires,
    expiresAt,
    sessionToken: amz.get(SECURITY_TOKEN)?.join(","),
    signature,
    contentMd5,
    contentType,
    amz: [...amz].map(([name, values]) => ({ name, values })),
    amzHeaders,
    resource: canonicalizedResource(wildcard, wire.path, subResources),
    parameters,
    unsignedParameters,
  };
}

// CloudFront puts it on every request to an origin, no client signs it, and no operation reads it.
const ADDED_BY_PROXIES = "x-amz-cf-id";

export function readAmzHeaders(request: WireRequest): readonly SignedHeader[] {
  return [...groupHeaders(request.headers)]
    .filter(([name]) => name.startsWith("x-amz-") && name !== ADDED_BY_PROXIES)
    .map(([name, values]) => ({ name, values }));
}

const SIGV4_MARKER = /^x-amz-(?:algorithm|credential|signature)$/i;

/** "Any parameters that are prefixed with x-amz- need to be included in the headers section" (AWS SDK for Java, SigV2). */
function checkAmzParameter(name: string, value: string, amz: ReadonlyMap<string, readonly string[]>): void {
  if (SIGV4_MARKER.test(name)) throw ambiguous("SigV4's parameters");
  if (name !== name.toLowerCase()) throw malformed(name, "case", "a parameter in lower case");
  if ((amz.get(name)?.join(",") ?? value) !== value) throw malformed(name, "duplicate", "one parameter or header");
  // A line feed would begin another line of the string to sign: one parameter could stand for two headers.
  if (hasControl(value)) throw malformed(name, "form", "a value without control characters");
}

/**
 * botocore and, with capitals, the AWS SDK 2 for JavaScript repeat the signed Content-Type and Content-MD5 in the query; the header is what
 * counts.
 */
function isCopyOfHeader(
  name: string,
  value: string,
  { contentMd5, contentType }: { readonly contentMd5: string; readonly contentType: string },
): boolean {
  return /^content-type$/i.test(name) ? value === contentType : /^content-md5$/i.test(name) && value === contentMd5;
}

function ambiguous(what: string): DaypassError {
  return refusal("AMBIGUOUS_AUTHENTICATION", `the request has ${what} beside a SigV2 query. Send one of them`);
}

function unsigned(name: string): DaypassError {
  const isHeader = /^content-(type|md5)$/i.test(name);
  return refusal(
    "UNSIGNED_PARAMETER",
    isHeader
      ? `the header ${name} does not have the value of the parameter. Send it`
      : `SigV2 does not sign the parameter ${JSON.stringify(name)}. Leave it out, or list it in allowUnsigned`,
    { parameter: name },
  );
}
