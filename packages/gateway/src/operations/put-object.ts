import type { PermittedObject } from "../pipeline/authorize.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { ChecksumRequest, DeclaredDigests, ObjectInfo, StoredHeaders } from "../storage/storage.ts";
import type { OperationContext } from "./operations.ts";

export interface PutObject {
  readonly operation: "put-object";
  readonly object: PermittedObject;
  readonly body: AsyncIterable<Uint8Array>;
  /** `undefined` where the transfer coding does not tell. */
  readonly contentLength: number | undefined;
  readonly maxBytes: number;
  readonly minBytes: number | undefined;
  readonly contentType: string | undefined;
  readonly headers: StoredHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly digests: DeclaredDigests;
  readonly checksum: ChecksumRequest | undefined;
  readonly createOnly: boolean;
  /** ETag without quotes, or `*`. */
  readonly ifMatch: string | undefined;
}

export interface StoredObject {
  readonly kind: "stored";
  readonly info: ObjectInfo;
}

/**
 * Stores an object in whole or not at all.
 * @throws {Refusal} `NO_SUCH_KEY` for a replacement of nothing
 * @throws {StorageError} every code of `Storage.put`
 */
export async function putObject(request: PutObject, { storage, signal }: OperationContext): Promise<StoredObject> {
  const { object, contentLength, maxBytes } = request;
  if (contentLength !== undefined && contentLength > maxBytes) {
    throw new Refusal("TOO_LARGE", `expected a body of at most ${maxBytes} bytes, found ${contentLength}: send less`, {
      size: contentLength,
      limit: maxBytes,
    });
  }
  // The storage decides at the moment of commit; looking first only saves the client from sending the body for nothing.
  if (request.createOnly || request.ifMatch !== undefined) {
    const current = await storage.head(object, { signal });
    if (request.createOnly && current !== undefined) throw conditionFailed("If-None-Match");
    if (request.ifMatch !== undefined && current === undefined) {
      throw new Refusal("NO_SUCH_KEY", "expected an object to replace, found none");
    }
    if (request.ifMatch !== undefined && request.ifMatch !== "*" && request.ifMatch !== current?.etag) {
      throw conditionFailed("If-Match");
    }
  }
  const info = await storage.put(object, request.body, {
    contentType: request.contentType,
    headers: request.headers,
    metadata: request.metadata,
    contentLength,
    maxBytes,
    minBytes: request.minBytes,
    ifNoneMatch: request.createOnly ? "*" : undefined,
    ifMatch: request.ifMatch,
    digests: request.digests,
    checksum: request.checksum,
    signal,
  });
  return { kind: "stored", info };
}

function conditionFailed(condition: string): Refusal {
  return new Refusal("PRECONDITION_FAILED", "expected the state that the condition names, found another", {
    condition,
  });
}
