import type { Grant, Verifier, WireRequest } from "daypass";
import { utf8OfHeader } from "../../http/metadata.ts";

/**
 * A verifier for clients that send the UTF-8 of their metadata as it is (aws-sdk-go, minio-go, rclone, curl): they sign these bytes,
 * and a parser hands each of them on as a character of its own. Metadata alone, as `metadataOfHeader` reads both spellings as one text: a
 * signature must not be good for two values of any other header.
 */
export function withMetadataText<G extends Grant>(verifier: Verifier<G>): Verifier<G> {
  return { ...verifier, verify: (request, proof) => verifier.verify(withText(request), proof) };
}

function withText(request: WireRequest): WireRequest {
  if (!request.headers.some(isByteMetadata)) return request;
  return {
    ...request,
    headers: request.headers.map((header) =>
      isByteMetadata(header) ? ([header[0], utf8OfHeader(header[1])] as const) : header,
    ),
  };
}

function isByteMetadata([name, value]: readonly [string, string]): boolean {
  return name.length > 11 && name.toLowerCase().startsWith("x-amz-meta-") && /[\x80-\xff]/.test(value);
}
