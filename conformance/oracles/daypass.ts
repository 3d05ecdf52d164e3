import { s3Signer } from "daypass/s3";
import type { S3Wish } from "../random/requests.ts";
import { queryObject, targetOf } from "./oracle.ts";

/** Ours, told the same. */
export function daypassUrl(wish: S3Wish, added: readonly (readonly [string, string])[]): string {
  const { endpoint, region, addressing, credentials, signedAt } = wish;
  const signer = s3Signer({ endpoint, region, addressing, credentials, clock: () => signedAt });
  return signer.sign({
    method: wish.method,
    bucket: wish.bucket,
    ...targetOf(wish.key),
    query: queryObject([...wish.query, ...added]),
    headers: wish.headers,
    expiresIn: wish.expiresIn,
    dotSegments: "sign",
  }).url;
}
