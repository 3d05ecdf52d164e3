import type { EcdsaPublicKey } from "#crypto/ecdsa";
import { checkSession } from "../../../core/access-key.ts";
import type { Scheme, Verifier } from "../../../core/contracts.ts";
import { checkValidity } from "../../../core/validity.ts";
import { verifier } from "../../../core/verify.ts";
import { fromHex } from "../../../wire/encoding.ts";
import { s3Location } from "../canonical.ts";
import { credentialResolver, type S3Credentials } from "../credentials.ts";
import { type S3Grant, s3Grant, s3Obligations } from "../grant.ts";
import { type S3VerifierOptions, wrongScope } from "../verify.ts";
import { signingPair, v4aStringToSign } from "./canonical.ts";
import { detectS3V4a, type ParsedS3V4a, parseS3V4a } from "./parse.ts";
import { regionSetHas } from "./region-set.ts";

/** Options of {@link s3V4aVerifier}: those of `s3Verifier`. */
export interface S3V4aVerifierOptions extends Omit<S3VerifierOptions, "regions"> {
  /** This server's regions: the signed set must include one of them. Any if omitted. */
  readonly regions?: readonly string[] | undefined;
}

interface V4aKey {
  readonly credentials: S3Credentials;
  readonly publicKey: EcdsaPublicKey;
}

/**
 * Verifies S3 presigned URLs in AWS Signature Version 4A: grammar, ECDSA signature over method, path, query (the set of
 * regions in it) and signed headers, session token, date and expiry (1 to 604800 s), and that no unsigned `x-amz-*` header
 * is there. The grant's `region` is the whole set, as it was signed.
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
