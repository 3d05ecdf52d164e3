import type { PermittedObject } from "../permit.ts";
import { choosePart, type GetObject, type ObjectRead, readPart } from "./get-object.ts";
import type { OperationContext } from "./operation-context.ts";
import { noSuchKey } from "./refusals.ts";

export interface HeadObject extends Pick<GetObject, "conditions" | "range" | "part"> {
  readonly operation: "head-object";
  readonly object: PermittedObject;
}

/**
 * Looks at an object: the answer of GET without the bytes.
 * @throws {Refusal} `NO_SUCH_KEY`, `PRECONDITION_FAILED`, `RANGE_NOT_SATISFIABLE`, `NO_SUCH_PART_NUMBER`
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export async function headObject(request: HeadObject, context: OperationContext): Promise<ObjectRead> {
  const parts = request.part !== undefined;
  const info = await context.storage.head(request.object, { parts, signal: context.signal });
  if (info === undefined) throw noSuchKey();
  const part = choosePart(request, info, context.now);
  return {
    kind: "object",
    info,
    range: typeof part === "string" ? undefined : part,
    body: undefined,
    notModified: part === "unchanged",
    part: part === "unchanged" ? undefined : readPart(request, info),
  };
}
