import type { EcdsaPublicKey } from "#crypto/ecdsa";
import { checkSession } from "../../../core/access-key.ts";
import type { ReceivedRequest, Scheme, Verifier, WireRequest } from "../../../core/contracts.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { checkValidity, parseBasicTime } from "../../../core/time.ts";
import { type CanonicalParts, canonicalQuery, canonicalRequestText, type EncodedPair } from "../../../core/v4.ts";
import { verifier } from "../../../core/verify.ts";
import { fromHex, uriEncode } from "../../../wire/encoding.ts";
import { malformed, sortParameters } from "../../../wire/parameters.ts";
import { parseTarget, refuseHeaderAuth } from "../../../wire/raw-target.ts";
import { canonicalHeaders, readPath, type SignedHeader, s3Location } from "../canonical.ts";
import { credentialResolver, type S3Credentials } from "../credentials.ts";
import { type S3Grant, s3Grant, s3Obligations } from "../grant.ts";
import { parseExpires, payloadLine, readSignedHeaders } from "../parse.ts";
import { type S3Texts, type S3VerifierOptions, wrongScope } from "../verify.ts";
import { AWS4A, regionSetHas, scopeText, signingPair, v4aStringToSign } from "./canonical.ts";

/** A SigV4A query-signed request, read strictly. Nothing in it has been verified. */
export interface ParsedS3V4a {
  /** Facts of the grant, as signed. */
  readonly facts: Pick<S3Grant, "keyId" | "notBefore" | "expiresAt" | "region" | "parameters" | "signedHeaders">;
  readonly scope: string;
  readonly service: string;
  /** `X-Amz-Date` as sent. */
  readonly time: string;
  readonly sessionToken: string | undefined;
  readonly signature: string;
  /** The headers in the list. A header that the request lacks has no values. */
  readonly headers: readonly SignedHeader[];
  readonly decodedPath: string;
  readonly canonical: CanonicalParts;
}

const MARKER = /[?&]X-Amz-Region-Set=/;

/** Distinguishes SigV4A from SigV4 by a parameter that SigV4 does not have. */
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
  // `x-amz-expires` beside `X-Amz-Expires` is another parameter for the signature, but always a mistake.
  const misspelt = others.find(([name]) => OWN.includes(name.toLowerCase()))?.[0];
  if (misspelt !== undefined) throw malformed(misspelt, "spelling", "its documented spelling");
  refuseHeaderAuth(request.headers);
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
    throw malformed("X-Amz-Credential", "date-mismatch", `one with the date of ${time}, not ${date}`, {
      found: date,
      expected: time.slice(0, 8),
    });
  }
  const expires = parseExpires(own["X-Amz-Expires"]);
  // A DER signature over P-256 has 8 to 72 bytes; verification shows whether it is valid.
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

/** Options of {@link s3V4aVerifier}, as of `s3Verifier`. */
export interface S3V4aVerifierOptions extends Omit<S3VerifierOptions, "regions" | "cache"> {
  /** This server's regions: the signed set must include one of them. Any if omitted. */
  readonly regions?: readonly string[] | undefined;
}

interface V4aKey {
  readonly credentials: S3Credentials;
  readonly publicKey: EcdsaPublicKey;
}

/**
 * Verifies S3 presigned URLs in AWS Signature Version 4A: grammar, ECDSA signature over method, path, query (the set of
 * regions in it) and signed headers, session token, date and expiry (1 to 604800 s), and that no `x-amz-*` header
 * is unsigned. The grant's `region` is the whole set, as it was signed.
 *
 * ECDSA signatures are malleable, and differ each time: count and revoke by `grant.id`, which is derived from the signed
 * content.
 *
 * Does not check that the key may touch this bucket, and does not read the body: what binds it becomes obligations, as with
 * `s3Verifier`.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointRequests.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_HEADER`, `UNKNOWN_KEY`, `WRONG_SCOPE`, `SIGNATURE_MISMATCH`,
 * `EXPIRED`, `NOT_YET_VALID`, `INVALID_TOKEN`, `EXPIRED_TOKEN`, `UNSUPPORTED_PAYLOAD`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3V4aVerifier } from "daypass/s3/v4a";
 *
 * const verifier = s3V4aVerifier({
 *   credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" },
 *   origins: ["https://*.s3.example.com"],
 *   regions: ["eu-west-1"],
 * });
 * export const grantFor = (request: WireRequest) => verifier.verify(request);
 * ```
 */
export function s3V4aVerifier(options: S3V4aVerifierOptions): Verifier<S3Grant> {
  requireOptions(options);
  const { maxFutureSkew = 900 } = options;
  // A text is one region.
  const regions = options.regions === undefined ? undefined : [options.regions].flat();
  const scheme: Scheme<ParsedS3V4a, V4aKey, S3Grant> = {
    id: "s3/v4a",
    detect: detectS3V4a,
    parse(received) {
      const parsed = parseS3V4a(received);
      const { service, facts } = parsed;
      if (service !== "s3") throw wrongScope("X-Amz-Credential", "service", ["s3"], service);
      if (regions !== undefined && !regionSetHas(facts.region, regions)) {
        throw wrongScope("X-Amz-Region-Set", "region", regions, facts.region);
      }
      return parsed;
    },
    keyId: ({ facts }) => facts.keyId,
    dummyKey: v4aKey({ accessKeyId: "unknown", secretAccessKey: "unknown" }),
    async check(_, { time, scope, canonical, headers, signature }, { publicKey }) {
      const stringToSign = v4aStringToSign(time, scope, canonical);
      const verified = await publicKey.verify(stringToSign, fromHex(signature) as Uint8Array);
      return { matches: verified && headers.every(({ values }) => values.length > 0), stringToSign };
    },
    reportsTimeFirst: true,
    wildcards: true,
    checkTime: ({ facts }, now) => checkValidity(now, facts.expiresAt, facts.notBefore, maxFutureSkew),
    grant({ request, wildcard }, parsed, { key, stringToSign, now }) {
      checkSession(key.credentials.sessionToken, key.credentials.expiration, parsed.sessionToken, now);
      return s3Grant(
        {
          scheme: "s3/v4a",
          methods: [request.method],
          obligations: s3Obligations(parsed.canonical.payload, parsed.headers, parsed.facts.parameters),
          target: request.target,
          ...s3Location(parsed.decodedPath, wildcard),
          ...parsed.facts,
        },
        stringToSign,
      );
    },
  };
  return verifier(scheme, credentialResolver(options.credentials, v4aKey), options);
}

function v4aKey(credentials: S3Credentials): V4aKey {
  return { credentials, publicKey: signingPair(credentials).publicKey };
}

/**
 * The canonical request and string to sign of a request with SigV4A in its query. Verifies nothing. Holds the session token
 * of a request that has one: for its sender only.
 *
 * @throws {DaypassError} `MALFORMED`, `UNSIGNED_HEADER`, `AMBIGUOUS_AUTHENTICATION`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3V4aTexts } from "daypass/s3/v4a";
 *
 * export const signedText = (request: WireRequest) => s3V4aTexts(request).stringToSign;
 * ```
 */
export function s3V4aTexts(request: WireRequest): S3Texts {
  const { time, scope, canonical } = parseS3V4a({
    request,
    wire: parseTarget(request.target),
    origin: "",
    wildcard: "",
  });
  return { canonicalRequest: canonicalRequestText(canonical), stringToSign: v4aStringToSign(time, scope, canonical) };
}
