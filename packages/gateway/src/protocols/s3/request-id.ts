/**
 * The two names by which S3 lets a request be found again; SDKs show both with every error.
 * @module
 */

/** `x-amz-id-2`, and `HostId` in the body of an error: opaque, and another one for each request. */
export function hostId(requestId: string): string {
  return `daypass/${requestId}`;
}

/** The headers with both, for every answer. */
export function requestIdHeaders(requestId: string): [string, string, string, string] {
  return ["x-amz-request-id", requestId, "x-amz-id-2", hostId(requestId)];
}
