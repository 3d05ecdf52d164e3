import { adviser } from "#advice";
import { credentialSource } from "../../../core/access-key.ts";
import type { Signer } from "../../../core/contracts.ts";
import { invalidInput, refusal } from "../../../core/errors.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { SignedResult, signer } from "../../../core/signed-request.ts";
import { formatBasicTime, signingWindow, systemClock } from "../../../core/time.ts";
import { AWS4, scopeText, signingKeys, v4Signature } from "../../../core/v4.ts";
import { MAX_EXPIRES } from "../canonical.ts";
import { checkCredentials, type S3Credentials } from "../credentials.ts";
import { type BucketEndpoint, bucketEndpoints } from "../endpoint.ts";
import type { S3SignRequest } from "../request.ts";
import { queryCall, type S3SignerOptions } from "../sign.ts";

// It concerns the key alone.
const advise = /* @__PURE__ */ adviser();

/** Options of {@link s3ExpressSigner}. */
export interface S3ExpressSignerOptions extends Omit<S3SignerOptions, "addressing"> {
  /**
   * The credentials from `CreateSession` (access key, secret and session token, valid for one directory bucket and five
   * minutes), or a function that returns the current ones.
   */
  readonly credentials: S3SignerOptions["credentials"];
  /** Scheme, host and port in front of which the bucket's name goes; the zone's own endpoint at Amazon by default. */
  readonly endpoint?: string | undefined;
}

// `name--zone--x-s3`, or `name--zone--xa-s3` for an access point. A zone is `use1-az4`, or `usw2-lax1-az1` in a Local Zone.
const DIRECTORY_BUCKET = /^[a-z0-9][a-z0-9-]*--([a-z0-9]+(?:-[a-z0-9]+)?-az\d+)--xa?-s3$/;

/**
 * Signs presigned URLs for objects in S3 Express One Zone: SigV4 for the service `s3express`, with the session token in
 * `X-Amz-S3session-Token`, at the endpoint of the zone in the bucket's name.
 *
 * A session expires five minutes after it was created, and its URLs with it: pass `credentials.expiration`, and a longer
 * lifetime is refused, or clamped. Calls on buckets are signed with your own credentials and the service `s3express` instead, not
 * with this signer.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-create-session.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { s3ExpressSigner } from "daypass/s3/express";
 *
 * const session = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…", sessionToken: "…", expiration: new Date(Date.now() + 300_000) };
 * const s3 = s3ExpressSigner({ region: "us-east-1", credentials: session, credentialExpiry: "clamp" });
 * export const { url } = s3.sign({ bucket: "media--use1-az4--x-s3", key: "clip.mp4", expiresIn: 300 });
 * ```
 */
export function s3ExpressSigner(options: S3ExpressSignerOptions): Signer<S3SignRequest> {
  requireOptions(options);
  const { region, endpoint, credentialExpiry, clock = systemClock } = options;
  const endpointOf = zonalEndpoints(region, endpoint);
  const session = credentialSource(options.credentials, sessionKey);

  return signer((request) => {
    const { accessKeyId, sessionToken, expiration, keys } = session();
    const { signedAt, expiresAt, expiresIn, warnings } = signingWindow(request, clock(), {
      maxSeconds: MAX_EXPIRES,
      expiration,
      credentialExpiry,
    });
    const time = formatBasicTime(signedAt);
    const scope = { date: time.slice(0, 8), region, service: "s3express" };
    const { canonical, facts, url } = queryCall(request, endpointOf, {
      "X-Amz-Algorithm": AWS4.algorithm,
      "X-Amz-Credential": `${accessKeyId}/${scopeText(AWS4, scope)}`,
      "X-Amz-Date": time,
      "X-Amz-Expires": String(expiresIn),
      "X-Amz-S3session-Token": sessionToken,
    });
    const { signature, stringToSign } = v4Signature(keys(scope), time, canonical);
    return new SignedResult(
      { ...facts, url: url(signature), expiresAt, warnings: advise(warnings, request) },
      stringToSign,
    );
  });
}

function sessionKey(credentials: S3Credentials) {
  const { secretAccessKey, sessionToken, ...others } = checkCredentials(credentials);
  if (sessionToken === undefined) {
    throw refusal("INVALID_KEY", "credentials.sessionToken is missing. Call CreateSession for the bucket");
  }
  return { ...others, sessionToken, keys: signingKeys(AWS4, secretAccessKey) };
}

/** "Zonal endpoints": `bucket.s3express-<zone>.<region>.amazonaws.com`, always with the bucket in the host. */
function zonalEndpoints(region: string, endpoint: string | undefined): (bucket: string) => BucketEndpoint {
  const byZone = new Map<string, (bucket: string) => BucketEndpoint>();
  // "s3.<region>.<domain of its partition>". An endpoint of the caller's own is only checked by it.
  const regional = bucketEndpoints({ region, endpoint, addressing: "path" })("any").host.slice("s3.".length);
  return (bucket) => {
    const zone = DIRECTORY_BUCKET.exec(bucket)?.[1];
    if (zone === undefined) throw invalidInput("bucket", 'a directory bucket such as "name--use1-az4--x-s3"', bucket);
    let ofZone = byZone.get(zone);
    if (ofZone === undefined) {
      const host = `s3express-${zone}.${regional}`;
      ofZone = bucketEndpoints({ region, endpoint: endpoint ?? `https://${host}`, addressing: "virtual" });
      byZone.set(zone, ofZone);
    }
    return ofZone(bucket);
  };
}
