import type { ReceivedRequest, WireRequest } from "../../../core/contracts.ts";
import { refusal } from "../../../core/errors.ts";
import { parseBasicTime } from "../../../core/time.ts";
import { type CanonicalParts, canonicalQuery, type EncodedPair } from "../../../core/v4.ts";
import { uriEncode } from "../../../wire/encoding.ts";
import { malformed, sortParameters } from "../../../wire/parameters.ts";
import { hasHeader } from "../../../wire/raw-target.ts";
import { canonicalHeaders, readPath, type SignedHeader } from "../canonical.ts";
import type { S3Grant } from "../grant.ts";
import { parseExpires, payloadLine } from "../parse.ts";
import { readSignedHeaders } from "../signed-headers.ts";
import { AWS4A, scopeText } from "./canonical.ts";

/** A SigV4A query-signed request, read strictly. Nothing in it has been verified. */
export interface ParsedS3V4a {
  /** What the grant tells as it was signed. */
  readonly facts: Pick<S3Grant, "keyId" | "notBefore" | "expiresAt" | "region" | "parameters" | "signedHeaders">;
  readonly scope: string;
  readonly service: string;
  /** `X-Amz-Date` as sent. */
  readonly time: string;
  readonly sessionToken: string | undefined;
  readonly signature: string;
  /** The headers that the list names; one that the request lacks has no values. */
  readonly headers: readonly SignedHeader[];
  readonly decodedPath: string;
  readonly canonical: CanonicalParts;
}

const MARKER = /[?&]X-Amz-Region-Set=/;

/** Tells SigV4A from SigV4 by the name of the parameter that SigV4 does not have. */
export function detectS3V4a(request: WireRequest): boolean {
  return MARKER.test(request.target);
}

const REQUIRED = [
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-Region-Set",
  "X-Amz-Signature",
  "X-Amz-SignedHeaders",
] as const;
const OPTIONAL = ["X-Amz-Content-Sha256", "X-Amz-Security-Token"] as const;
const OWN: readonly string[] = [...REQUIRED, ...OPTIONAL].map((name) => name.toLowerCase());
const CREDENTIAL = /^(.+)\/(\d{8})\/([^/]+)\/aws4_request$/s;

/** Reads a query-signed request. Throws `MALFORMED`, `UNSIGNED_HEADER` or `AMBIGUOUS_AUTHENTICATION`. */
export function parseS3V4a({ request, wire }: ReceivedRequest): ParsedS3V4a {
  const { own, others } = sortParameters(wire, REQUIRED, OPTIONAL);
  // `x-amz-expires` beside `X-Amz-Expires` is one more parameter for the signature, but nobody means it.
  const misspelt = others.find(([name]) => OWN.includes(name.toLowerCase()))?.[0];
  if (misspelt !== undefined) throw malformed(misspelt, "spelling", "its documented spelling");
  if (hasHeader(request.headers, "authorization")) {
    throw refusal("AMBIGUOUS_AUTHENTICATION", "one signature, found an Authorization header, too");
  }
  const { "X-Amz-Date": time, "X-Amz-SignedHeaders": signedHeaders, "X-Amz-Signature": signature } = own;
  if (own["X-Amz-Algorithm"] !== AWS4A.algorithm) throw malformed("X-Amz-Algorithm", "algorithm", AWS4A.algorithm);
  const notBefore = parseBasicTime(time);
  if (notBefore === undefined) throw malformed("X-Amz-Date", "form", "a real instant as YYYYMMDDTHHMMSSZ");
  // From the right, as compatibles allow `/` in key ids.
  const [, keyId, date, service] = CREDENTIAL.exec(own["X-Amz-Credential"]) ?? [];
  if (keyId === undefined || date === undefined || service === undefined) {
    throw malformed("X-Amz-Credential", "form", "<access key id>/YYYYMMDD/<service>/aws4_request");
  }
  if (date !== time.slice(0, 8)) {
    throw malformed("X-Amz-Credential", "date-mismatch", `one with the date of ${time}, found ${date}`, {
      found: date,
      expected: time.slice(0, 8),
    });
  }
  const expires = parseExpires(own["X-Amz-Expires"]);
  // A DER signature over P-256 has 8 to 72 bytes; whether it is one shows where it is verified.
  if (!/^(?:[0-9a-f]{2}){8,72}$/.test(signature)) throw malformed("X-Amz-Signature", "form", "lower-case hexadecimal");
  const headers = readSignedHeaders(request, signedHeaders, "X-Amz-SignedHeaders");
  const { "X-Amz-Signature": _, ...signed } = own;
  const { path, decodedPath } = readPath(wire.path);
  return {
    facts: {
      keyId,
      notBefore,
      expiresAt: new Date(notBefore.getTime() + expires * 1000),
      region: own["X-Amz-Region-Set"],
      parameters: others,
      signedHeaders: headers.map(({ name }) => name),
    },
    scope: scopeText(date),
    service,
    time,
    sessionToken: own["X-Amz-Security-Token"],
    signature,
    headers,
    decodedPath,
    canonical: {
      method: request.method,
      path,
      query: canonicalQuery(
        [...Object.entries(signed), ...others].map(([name, value]): EncodedPair => [uriEncode(name), uriEncode(value)]),
      ),
      headers: canonicalHeaders(headers),
      signedHeaders,
      payload: payloadLine(own["X-Amz-Content-Sha256"], headers),
    },
  };
}
