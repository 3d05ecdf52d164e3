import type { PermittedObject } from "../pipeline/authorize.ts";
import { choosePart, type GetObject, noSuchKey, type ObjectRead } from "./get-object.ts";
import type { OperationContext } from "./operations.ts";

export interface HeadObject extends Pick<GetObject, "conditions" | "range"> {
  readonly operation: "head-object";
  readonly object: PermittedObject;
}

/**
 * Looks at an object: the answer of GET without the bytes.
 * @throws {Refusal} `NO_SUCH_KEY`, `PRECONDITION_FAILED`, `RANGE_NOT_SATISFIABLE`
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export async function headObject(request: HeadObject, context: OperationContext): Promise<ObjectRead> {
  const info = await context.storage.head(request.object, { signal: context.signal });
  if (info === undefined) throw noSuchKey();
  const part = choosePart(request, info, context.now);
  return {
    kind: "object",
    info,
    range: typeof part === "string" ? undefined : part,
    body: undefined,
    notModified: part === "unchanged",
  };
}
