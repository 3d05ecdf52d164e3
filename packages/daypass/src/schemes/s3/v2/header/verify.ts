import { checkSession } from "../../../../core/access-key.ts";
import type { Scheme, Verifier } from "../../../../core/contracts.ts";
import { type VerifierOptions, verifier } from "../../../../core/verify.ts";
import { percentDecode } from "../../../../wire/raw-target.ts";
import { s3Location, UNSIGNED_PAYLOAD } from "../../canonical.ts";
import { checkSkew } from "../../clock-skew.ts";
import { credentialResolver, type S3Credentials } from "../../credentials.ts";
import { type S3Grant, s3Grant, s3Obligations } from "../../grant.ts";
import type { S3VerifierOptions } from "../../verify.ts";
import { checkS3V2 } from "../check.ts";
import { detectS3V2Header, type ParsedS3V2Header, parseS3V2Header } from "./parse.ts";

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
  const keys = credentialResolver(options.credentials, (credentials) => credentials);
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
