import { adviser } from "#advice";
import { credentialSource } from "../../../core/access-key.ts";
import type { AsyncSigner } from "../../../core/contracts.ts";
import { invalidInput } from "../../../core/errors.ts";
import { requireFeature } from "../../../core/provider.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { asyncSigner, SignedResult } from "../../../core/signed-request.ts";
import { formatBasicTime, signingWindow, systemClock } from "../../../core/time.ts";
import { unsupportedConstraint } from "../../../core/validate-options.ts";
import { hex } from "../../../wire/encoding.ts";
import { MAX_EXPIRES } from "../canonical.ts";
import { checkCredentials } from "../credentials.ts";
import type { S3SignRequest } from "../request.ts";
import { queryCall, type S3SignerOptions } from "../sign.ts";
import { AWS4A, scopeText, signingPair, type V4aEndpointOptions, v4aEndpoints, v4aStringToSign } from "./canonical.ts";

/** Options of {@link s3V4aSigner}. */
export interface S3V4aSignerOptions
  extends V4aEndpointOptions,
    Pick<S3SignerOptions, "credentials" | "credentialExpiry" | "clock"> {
  /** Regions in which the URLs are valid, each by name or with `*` for any characters. `["*"]`, any region, by default. */
  readonly regionSet?: readonly string[] | undefined;
}

/**
 * Signs S3 presigned URLs with AWS Signature Version 4A: one URL that is valid in several regions, as Multi-Region
 * Access Points need it. Accepts the requests of `s3Signer`; `bucket` may be the alias or the ARN of an access point. The
 * ECDSA key is derived once per credential. Signatures are randomised, so no two URLs are the same.
 *
 * Binds the same as `s3Signer`, and also the set of regions.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointRequests.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { s3V4aSigner } from "daypass/s3/v4a";
 *
 * const s3 = s3V4aSigner({ credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" } });
 * export const { url } = await s3.sign({ bucket: "mfzwi23gnjvgw.mrap", key: "talks/keynote.mp4", expiresIn: 900 });
 * ```
 */
export function s3V4aSigner(options: S3V4aSignerOptions): AsyncSigner<S3SignRequest> {
  requireOptions(options);
  const { regionSet = ["*"], credentialExpiry, clock = systemClock } = options;
  requireFeature(options.provider, "sigv4a");
  const endpointOf = v4aEndpoints(options);
  // A text has a length, too, and no parts to be joined.
  const regions = [regionSet].flat().join(",");
  if (!/^[a-z0-9*-]+(?:,[a-z0-9*-]+)*$/.test(regions)) {
    throw invalidInput("regionSet", 'names of regions such as "us-west-2" or "us-*"', regionSet);
  }
  const identity = credentialSource(options.credentials, (given) => {
    const credentials = checkCredentials(given);
    return { ...credentials, pair: signingPair(credentials) };
  });

  const advise = adviser({ endpoint: options.endpoint });
  return asyncSigner(async (request) => {
    const { accessKeyId, sessionToken, expiration, pair } = identity();
    if (request.stableWindow !== undefined) {
      throw unsupportedConstraint("SigV4A", "stableWindow", "its signatures differ each time, use SigV4");
    }
    const { signedAt, expiresAt, expiresIn, warnings } = signingWindow(request, clock(), {
      maxSeconds: MAX_EXPIRES,
      expiration,
      credentialExpiry,
    });
    const time = formatBasicTime(signedAt);
    const scope = scopeText(time.slice(0, 8));
    const { canonical, facts, url } = queryCall(request, endpointOf, {
      "X-Amz-Algorithm": AWS4A.algorithm,
      "X-Amz-Credential": `${accessKeyId}/${scope}`,
      "X-Amz-Date": time,
      "X-Amz-Expires": String(expiresIn),
      "X-Amz-Region-Set": regions,
      ...(sessionToken === undefined ? {} : { "X-Amz-Security-Token": sessionToken }),
    });
    const stringToSign = v4aStringToSign(time, scope, canonical);
    const signature = hex(await pair.sign(stringToSign));
    return new SignedResult(
      {
        ...facts,
        url: url(signature),
        expiresAt,
        warnings: advise(warnings, request),
      },
      stringToSign,
    );
  });
}
