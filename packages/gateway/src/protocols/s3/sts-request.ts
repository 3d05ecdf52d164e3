import type { WireRequest } from "daypass";

/** Tells by the scope of its signature whether a request is for the Security Token Service. */
export function isStsRequest({ headers }: WireRequest): boolean {
  return headers.some(([name, value]) => name.toLowerCase() === "authorization" && value.includes("/sts/aws4_request"));
}
