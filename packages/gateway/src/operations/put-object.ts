import type { PermittedObject } from "../permit.ts";
import type { ObjectInfo, PutOptions } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";
import { expectAnnounced, noSuchKey } from "./refusals.ts";
import { expectConditions, type WriteConditions, withConditions } from "./write-conditions.ts";

export interface PutObject extends WriteConditions, Omit<PutOptions, "ifMatch" | "ifNoneMatch" | "signal"> {
  readonly operation: "put-object";
  readonly object: PermittedObject;
  readonly body: AsyncIterable<Uint8Array>;
  readonly maxBytes: number;
}

/**
 * Stores an object in whole or not at all.
 * @throws {Refusal} `TOO_LARGE`, `PRECONDITION_FAILED`, `CONFLICT`; `NO_SUCH_KEY` if the object to replace does not exist
 * @throws {StorageError} every code of `Storage.put`
 */
export async function putObject(request: PutObject, context: OperationContext): Promise<ObjectInfo> {
  const { operation: _, object, body, createOnly, ...options } = request;
  const { storage, signal } = context;
  expectAnnounced(options.contentLength, options.maxBytes);
  await expectConditions(object, request, context);
  const ifNoneMatch = createOnly ? "*" : undefined;
  return withConditions(object, request, context, () => storage.put(object, body, { ...options, ifNoneMatch, signal }));
}

export interface SetObjectTags {
  readonly operation: "set-object-tags";
  readonly object: PermittedObject;
  /** All tags that the object has afterwards. */
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Replaces the tags of an object.
 * @throws {Refusal} `NO_SUCH_KEY`
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export async function setObjectTags(
  { object, tags }: SetObjectTags,
  { storage, signal }: OperationContext,
): Promise<void> {
  if (!(await storage.setTags(object, tags, { signal }))) throw noSuchKey();
}
