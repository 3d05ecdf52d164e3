import type { PermittedObject } from "../permit.ts";
import type { OperationContext } from "./operation-context.ts";
import { noSuchKey } from "./refusals.ts";

export interface SetObjectTags {
  readonly operation: "set-object-tags";
  readonly object: PermittedObject;
  /** All that the object will have. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface TaggedObject {
  readonly kind: "tagged";
}

/**
 * Replaces the tags of an object.
 * @throws {Refusal} `NO_SUCH_KEY`
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export async function setObjectTags(
  { object, tags }: SetObjectTags,
  { storage, signal }: OperationContext,
): Promise<TaggedObject> {
  if (!(await storage.setTags(object, tags, { signal }))) throw noSuchKey();
  return { kind: "tagged" };
}
