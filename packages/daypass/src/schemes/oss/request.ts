import type { ObjectRequest } from "../../core/object-request.ts";

/** One OSS request to sign. */
export interface OssSignRequest extends ObjectRequest {
  /** Signs the host as well (`x-oss-additional-headers=host`). Without it the URL works at every host of the bucket. */
  readonly bindHost?: boolean | undefined;
}

/** What can bind what neither version of OSS's signature can. */
export const INSTEAD: Readonly<Record<string, string>> = {
  "bind.sha256": "bind the header content-md5",
  "bind.ip": "use a bucket policy",
};
