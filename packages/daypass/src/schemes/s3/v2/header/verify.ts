import { checkSession } from "../../../../core/access-key.ts";
import type { ReceivedRequest, Scheme, Verifier, WireRequest } from "../../../../core/contracts.ts";
import { refusal } from "../../../../core/errors.ts";
import { requireOptions } from "../../../../core/require-options.ts";
import { parseBasicTime } from "../../../../core/time.ts";
import { type VerifierOptions, verifier } from "../../../../core/verify.ts";
import { malformed } from "../../../../wire/parameters.ts";
import { formDecode, headerValues, oneHeader, parseTarget, percentDecode } from "../../../../wire/raw-target.ts";
import { type SignedHeader, s3Location, UNSIGNED_PAYLOAD } from "../../canonical.ts";
import { credentialResolver, type S3Credentials } from "../../credentials.ts";
import { type S3Grant, s3Grant, s3Obligations } from "../../grant.ts";
import { checkSkew, type S3Texts, type S3VerifierOptions } from "../../verify.ts";
import {
  canonicalizedResource,
  checkS3V2,
  isAmbiguousValue,
  isSubResource,
  type Parameter,
  type S3V2Parts,
  s3V2StringToSign,
} from "../canonical.ts";
import { readAmzHeaders, SECURITY_TOKEN, SIGNATURE } from "../parse.ts";

/** A request with a SigV2 `Authorization` header, read strictly. Nothing in it has been verified. */
export interface ParsedS3V2Header extends Omit<S3V2Parts, "method"> {
  readonly accessKeyId: string;
  readonly signedAt: Date;
  readonly sessionToken: string | undefined;
  readonly signature: string;
  readonly amz: readonly SignedHeader[];
  /** All parameters, decoded, in wire order; of those that SigV2 does not sign, the ones that choose a page of a listing. */
  readonly parameters: readonly Parameter[];
}

const MARKER = /^AWS /;

/** Returns, by the header's first word, whether a request is signed with SigV2 in its `Authorization` header. */
export function detectS3V2Header(request: WireRequest): boolean {
  return headerValues(request.headers, "authorization").some((value) => MARKER.test(value));
}

// SigV2 signs none of these, and there is no listing without them. They choose what is shown of a bucket whose name is
// signed, and no client can do without.
const LISTING: ReadonlySet<string> = new Set(
  (
    "continuation-token delimiter encoding-type fetch-owner key-marker list-type marker max-keys max-parts max-uploads " +
    "part-number-marker prefix start-after upload-id-marker version-id-marker"
  ).split(" "),
);
const QUERY_MARKER = /[?&](?:AWSAccessKeyId|X-Amz-(?:Algorithm|Credential|Signature))=/;

/** Reads a header-signed request. Throws `MALFORMED`, `AMBIGUOUS_AUTHENTICATION` or `UNSIGNED_PARAMETER`. */
export function parseS3V2Header({ request, wire, wildcard }: ReceivedRequest): ParsedS3V2Header {
  if (QUERY_MARKER.test(request.target)) {
    throw refusal(
      "AMBIGUOUS_AUTHENTICATION",
      "the request has a signed query beside an Authorization header. Send one of them",
    );
  }
  const [, accessKeyId, signature = ""] =
    /^AWS ([^\s:]+):([^\s:]+)$/.exec(oneHeader(request.headers, "authorization")) ?? [];
  if (accessKeyId === undefined || !SIGNATURE.test(signature)) {
    const problem = accessKeyId === undefined ? "key-and-signature" : "signature";
    throw malformed("Authorization", problem, "AWS <access key id>:<base64 of 20 bytes>");
  }
  const amz = readAmzHeaders(request);
  const { date, signedAt } = signingTime(request);
  const { parameters, subResources } = readQuery(wire.tokens);
  return {
    accessKeyId,
    signature,
    signedAt,
    sessionToken: amz.find(({ name }) => name === SECURITY_TOKEN)?.values.join(","),
    contentMd5: oneHeader(request.headers, "content-md5"),
    contentType: oneHeader(request.headers, "content-type"),
    expires: date,
    amz,
    resource: canonicalizedResource(wildcard, wire.path, subResources),
    parameters,
  };
}

function readQuery(tokens: ReceivedRequest["wire"]["tokens"]): {
  readonly parameters: readonly Parameter[];
  readonly subResources: readonly Parameter[];
} {
  const seen = new Set<string>();
  const parameters: Parameter[] = [];
  const subResources: Parameter[] = [];
  for (const token of tokens) {
    const name = formDecode(token.name);
    const value = formDecode(token.value ?? "");
    if (seen.has(name)) throw malformed(name, "duplicate", "one parameter");
    seen.add(name);
    if (isSubResource(name)) {
      if (isAmbiguousValue(value)) throw malformed(name, "ambiguous", "a value without further parameters inside");
      subResources.push([name, value]);
      // AWS's own SDKs send it, it changes nothing.
    } else if (name === "x-id") {
      continue;
    } else if (!LISTING.has(name)) {
      throw refusal(
        "UNSIGNED_PARAMETER",
        `SigV2 does not sign the parameter ${JSON.stringify(name)}. Sign with SigV4`,
        { parameter: name },
      );
    }
    parameters.push([name, value]);
  }
  return { parameters, subResources };
}

/** "If you include the x-amz-date header, use the empty string for the Date when constructing the StringToSign." */
function signingTime(request: WireRequest): { readonly date: string; readonly signedAt: Date } {
  const amzDate = oneHeader(request.headers, "x-amz-date");
  if (amzDate === "" && headerValues(request.headers, "x-amz-date").length > 0)
    throw malformed("x-amz-date", "form", "an instant, or no header");
  const date = oneHeader(request.headers, "date");
  const text = amzDate || date;
  const signedAt = parseBasicTime(text) ?? parseMailDate(text);
  if (signedAt === undefined) {
    throw malformed("Date", text === "" ? "missing" : "form", "Tue, 27 Mar 2007 19:36:42 +0000, or x-amz-date");
  }
  return { date: amzDate === "" ? date : "", signedAt };
}

// RFC 2822 §3.3 in UTC, as AWS's page and the clients of its time write it.
function parseMailDate(text: string): Date | undefined {
  const [, day = "", rest] =
    /^[A-Z][a-z]{2}, (\d{1,2}) ([A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}) (?:GMT|UTC|[+-]0000)$/.exec(text) ?? [];
  if (rest === undefined) return undefined;
  const normal = `${day.padStart(2, "0")} ${rest} GMT`;
  const date = new Date(normal);
  // `Date` rolls 31 February over: the round trip finds it. Like Amazon, a wrong day of the week does not matter.
  return !Number.isNaN(date.getTime()) && date.toUTCString().endsWith(normal) ? date : undefined;
}

/** Options of {@link s3V2HeaderVerifier}. */
export interface S3V2HeaderVerifierOptions extends VerifierOptions, Pick<S3VerifierOptions, "credentials"> {
  /** Seconds that the signing time may be away from the clock, in either direction; 900 by default, as on S3. */
  readonly maxSkew?: number | undefined;
}

/**
 * Verifies S3 requests that carry the legacy AWS Signature Version 2 in their `Authorization` header: grammar, signature over
 * method, Content-MD5, Content-Type, date, `x-amz-*` headers, bucket, key and sub-resources, session token and signing time.
 *
 * SigV2 does not sign the host, the body or the parameters of a listing; these parameters are nevertheless in `parameters` of
 * the grant, because listings need them. Any other unsigned parameter is refused. Does not check that the key may access
 * this bucket.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `CLOCK_SKEW`,
 * `INVALID_TOKEN`, `EXPIRED_TOKEN`, `UNSUPPORTED_PAYLOAD`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { s3V2HeaderVerifier } from "daypass/s3/v2/header";
 *
 * export const verifier = s3V2HeaderVerifier({
 *   credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" },
 *   origins: ["https://s3.example.com"],
 *   enforces: ["body-checksum"],
 * });
 * ```
 */
export function s3V2HeaderVerifier(options: S3V2HeaderVerifierOptions): Verifier<S3Grant> {
  const keys = credentialResolver(requireOptions(options).credentials, (credentials) => credentials);
  return verifier(s3V2HeaderScheme(options), keys, options);
}

function s3V2HeaderScheme({
  maxSkew = 900,
}: S3V2HeaderVerifierOptions): Scheme<ParsedS3V2Header, S3Credentials, S3Grant> {
  return {
    id: "s3/v2/header",
    detect: detectS3V2Header,
    parse: parseS3V2Header,
    keyId: (parsed) => parsed.accessKeyId,
    dummyKey: { accessKeyId: "unknown", secretAccessKey: "unknown" },
    check: ({ request: { method } }, parsed, { secretAccessKey }) =>
      checkS3V2({ method, ...parsed }, { secretAccessKey, signature: parsed.signature }),
    reportsTimeFirst: true,
    wildcards: true,
    checkTime: ({ signedAt }, now) => checkSkew(signedAt, now, maxSkew),
    grant({ request, wire, wildcard }, parsed, { key, stringToSign, now }) {
      checkSession(key.sessionToken, key.expiration, parsed.sessionToken, now);
      const { amz, contentMd5, contentType, parameters } = parsed;
      const { bucket, key: objectKey } = s3Location(percentDecode(wire.path), wildcard);
      const payload = amz.find(({ name }) => name === "x-amz-content-sha256")?.values.join(",");
      const headers = [
        { name: "content-type", values: [contentType] },
        ...(contentMd5 === "" ? [] : [{ name: "content-md5", values: [contentMd5] }]),
        ...amz,
      ];
      return s3Grant(
        {
          scheme: "s3/v2/header",
          keyId: parsed.accessKeyId,
          methods: [request.method],
          notBefore: parsed.signedAt.getTime() - maxSkew * 1000,
          expiresAt: parsed.signedAt.getTime() + maxSkew * 1000,
          obligations: s3Obligations(payload ?? UNSIGNED_PAYLOAD, headers, parameters),
          target: request.target,
          bucket,
          key: objectKey,
          region: "",
          parameters,
          signedHeaders: ["content-md5", "content-type", "date", ...amz.map(({ name }) => name)],
        },
        stringToSign,
      );
    },
  };
}

/**
 * The string to sign of a request with SigV2 in its `Authorization` header. Verifies nothing.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
 *
 * @param virtualBucket the bucket if the host names it, else the empty string: SigV2 signs it
 * @throws {DaypassError} `MALFORMED`, `AMBIGUOUS_AUTHENTICATION`, `UNSIGNED_PARAMETER`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3V2HeaderTexts } from "daypass/s3/v2/header";
 *
 * export const signedText = (request: WireRequest) => s3V2HeaderTexts(request, "").stringToSign;
 * ```
 */
export function s3V2HeaderTexts(request: WireRequest, virtualBucket: string): S3Texts {
  const parsed = parseS3V2Header({ request, wire: parseTarget(request.target), origin: "", wildcard: virtualBucket });
  return { stringToSign: s3V2StringToSign({ method: request.method, ...parsed }) };
}
