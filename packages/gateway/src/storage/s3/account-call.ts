import { createHash, createHmac } from "node:crypto";
import type { S3Credentials } from "daypass/s3";
import { urlEncoded } from "../../http/xml.ts";

/** A call on the whole account. */
export interface AccountCall {
  /** `scheme://host[:port][/path]` in the signed spelling, without a slash at its end. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: S3Credentials;
  readonly now: Date;
  /** The continuation token of the upstream. */
  readonly token?: string | undefined;
}

/** "All unpaginated ListBuckets requests will be rejected for AWS accounts with a general purpose bucket quota greater than 10,000." */
const AMAZON = /\.amazonaws\.(?:com|com\.cn|eu)$/;
/** 10,000 are allowed, but such a page would be larger than the limit for documents. */
const PAGE = "5000";

/** The URL of ListBuckets, valid for a minute. `s3Signer` signs only calls on a bucket, so SigV4 of an empty request is written out here. */
export function listBucketsUrl({ endpoint, region, credentials, now, token }: AccountCall): string {
  const [, scheme = "", host = "", base = ""] = /^(https?):\/\/([^/]+)(.*)$/.exec(endpoint) ?? [];
  const path = `${base}/`;
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const parameters = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${credentials.accessKeyId}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": "60",
    ...(credentials.sessionToken === undefined ? {} : { "X-Amz-Security-Token": credentials.sessionToken }),
    "X-Amz-SignedHeaders": "host",
    ...(token === undefined ? {} : { "continuation-token": token }),
    // Other servers might refuse the parameter.
    ...(AMAZON.test(host) ? { "max-buckets": PAGE } : {}),
  };
  // In the order of the signature.
  const query = Object.entries(parameters)
    .map(([name, value]) => `${name}=${urlEncoded(value).replaceAll("/", "%2F")}`)
    .join("&");
  const canonical = `GET\n${path}\n${query}\nhost:${host}\n\nhost\nUNSIGNED-PAYLOAD`;
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${createHash("sha256").update(canonical).digest("hex")}`;
  let key: string | Buffer = `AWS4${credentials.secretAccessKey}`;
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  const signature = createHmac("sha256", key).update(toSign).digest("hex");
  return `${scheme}://${host}${path}?${query}&X-Amz-Signature=${signature}`;
}
