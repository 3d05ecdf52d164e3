import { invalidInput } from "../../../core/errors.ts";
import { type BucketEndpoint, bucketEndpoints, type EndpointOptions } from "../endpoint.ts";

/** Options for the server that the URLs are for. */
export interface V4aEndpointOptions extends Omit<EndpointOptions, "region"> {
  /** Chooses Amazon's regional endpoint. Not needed for a Multi-Region Access Point, nor with an `endpoint`. */
  readonly region?: string | undefined;
}

// `arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap`, or the alias alone.
const MULTI_REGION = /^(?:arn:aws:s3::\d{12}:accesspoint[/:])?([a-z0-9]{1,50}\.mrap)$/;

/**
 * Addresses of buckets, and of Multi-Region Access Points: `<alias>.accesspoint.s3-global.amazonaws.com`, the one place
 * where S3 takes nothing but SigV4A. Throws `INVALID_INPUT`.
 */
export function v4aEndpoints(options: V4aEndpointOptions): (bucket: string) => BucketEndpoint {
  const { region, endpoint, addressing } = options;
  const ofBuckets =
    region === undefined && endpoint === undefined
      ? undefined
      : bucketEndpoints({ region: region ?? "auto", endpoint, addressing });
  return (bucket) => {
    const alias = MULTI_REGION.exec(bucket)?.[1];
    if (alias === undefined || endpoint !== undefined) {
      if (ofBuckets !== undefined) return ofBuckets(bucket);
      throw invalidInput("bucket", "a Multi-Region Access Point, or a region or an endpoint beside it", bucket);
    }
    const host = `${alias}.accesspoint.s3-global.amazonaws.com`;
    return { origin: `https://${host}`, host, path: "", virtual: true };
  };
}
