import type { WireRequest } from "daypass";
import { virtualBucket } from "../../pipeline/addressed-bucket.ts";

/** The very URL that the client used, without its query. What is in front of the gateway may speak TLS in its place. */
export function locationOf({ target, authority }: WireRequest, origins: readonly string[]): string {
  const secure = virtualBucket(origins.filter((origin) => origin.startsWith("https:")));
  const scheme = secure(authority) === undefined ? "http" : "https";
  return `${scheme}://${authority}${target.replace(/\?.*/s, "")}`;
}
