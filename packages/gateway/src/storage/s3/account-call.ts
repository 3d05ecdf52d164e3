import { createHash, createHmac } from "node:crypto";
import type { S3Credentials } from "daypass/s3";
import { urlEncoded } from "../../http/xml.ts";

/** What a call on the whole account is signed for. */
export interface AccountCall {
  /** `scheme://host[:port][/path]`, spelled as it is signed, no slash at its end. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: S3Credentials;
  readonly now: Date;
  /** Where the list goes on, as the upstream has said. */
  readonly token?: string | undefined;
}

/** "All unpaginated ListBuckets requests will be rejected for AWS accounts with a general purpose bucket quota greater than 10,000." */
const AMAZON = /\.amazonaws\.(?:com|com\.cn|eu)$/;
/** 10,000 at most: with what is told of each a page of those would be larger than a document may be. */
const PAGE = "5000";

/**
 * The URL of ListBuckets. `s3Signer` signs calls on a bucket and this one has none, so it is written down here: SigV4 of an empty
 * request, good for a minute.
 */
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
    // Not asked of others: what they do not know they might refuse.
    ...(AMAZON.test(host) ? { "max-buckets": PAGE } : {}),
  };
  // In the order in which they are signed.
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
