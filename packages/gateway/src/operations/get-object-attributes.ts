import type { PermittedObject } from "../permit.ts";
import type { ObjectInfo } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";
import { noSuchKey } from "./refusals.ts";

const OBJECT_ATTRIBUTES = ["etag", "checksum", "parts", "storageClass", "size"] as const;
export type ObjectAttribute = (typeof OBJECT_ATTRIBUTES)[number];

export interface GetObjectAttributes {
  readonly operation: "get-object-attributes";
  readonly object: PermittedObject;
  readonly attributes: ReadonlySet<ObjectAttribute>;
  /** Which of the parts. */
  readonly after: number;
  readonly limit: number;
}

export interface ObjectAttributes {
  readonly kind: "attributes";
  readonly info: ObjectInfo;
  readonly request: GetObjectAttributes;
}

/**
 * Looks at an object and its parts.
 * @throws {Refusal} `NO_SUCH_KEY`
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export async function getObjectAttributes(
  request: GetObjectAttributes,
  { storage, signal }: OperationContext,
): Promise<ObjectAttributes> {
  const info = await storage.head(request.object, { parts: request.attributes.has("parts"), signal });
  if (info === undefined) throw noSuchKey();
  return { kind: "attributes", info, request };
}
