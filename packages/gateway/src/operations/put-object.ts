import type { PermittedObject } from "../permit.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { ChecksumRequest, DeclaredDigests, ObjectInfo, StoredHeaders } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";
import { expectConditions, type WriteConditions, withConditions } from "./write-conditions.ts";

export interface PutObject extends WriteConditions {
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
  readonly tags: Readonly<Record<string, string>> | undefined;
}

export interface StoredObject {
  readonly kind: "stored";
  readonly info: ObjectInfo;
}

/**
 * Stores an object in whole or not at all.
 * @throws {Refusal} `PRECONDITION_FAILED`, `CONFLICT`, `NO_SUCH_KEY` for a replacement of nothing
 * @throws {StorageError} every code of `Storage.put`
 */
export async function putObject(request: PutObject, context: OperationContext): Promise<StoredObject> {
  const { storage, signal } = context;
  const { object, contentLength, maxBytes } = request;
  if (contentLength !== undefined && contentLength > maxBytes) {
    throw new Refusal("TOO_LARGE", `expected a body of at most ${maxBytes} bytes, found ${contentLength}: send less`, {
      size: contentLength,
      limit: maxBytes,
    });
  }
  await expectConditions(object, request, context);
  const info = await withConditions(object, request, context, () =>
    storage.put(object, request.body, {
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
      tags: request.tags,
      signal,
    }),
  );
  return { kind: "stored", info };
}
