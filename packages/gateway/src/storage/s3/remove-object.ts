import { preconditionFailed } from "../contract/preconditions.ts";
import type { DeleteOptions, ObjectRef } from "../contract/storage.ts";
import { conditionalFault, type WriteConditions } from "./conditions.ts";
import { isStorable, type Names } from "./names.ts";
import type { ObjectReader } from "./read-object.ts";
import type { Upstream } from "./upstream.ts";
import { drop } from "./wire.ts";

export interface ObjectRemoverOptions {
  readonly upstream: Upstream;
  readonly names: Names;
  readonly conditions: WriteConditions;
  readonly reader: ObjectReader;
}

/** Resolves to whether there was an object. S3 does not say, so it is looked for first. */
export function objectRemover({ upstream, names, conditions, reader }: ObjectRemoverOptions) {
  return async (ref: ObjectRef, { ifMatch, signal }: DeleteOptions): Promise<boolean> => {
    const bucket = await names.of(ref.bucket);
    const { key } = ref;
    const info = isStorable(key) ? await reader.head(ref, { signal }) : undefined;
    if (ifMatch !== undefined && (info === undefined || (ifMatch !== "*" && info.etag !== ifMatch))) {
      throw preconditionFailed();
    }
    if (info === undefined) return false;
    // `*` asks for any object, and there is one.
    const condition =
      ifMatch === undefined || ifMatch === "*" ? {} : await conditions.headers("delete", { bucket, key }, { ifMatch });
    const doing = "delete the object";
    const { answer, fault } = await upstream.ask({ doing, method: "DELETE", bucket, key, headers: condition, signal });
    if (fault !== undefined && fault.code !== "NoSuchKey") throw conditionalFault(fault, doing, condition);
    drop(answer);
    return true;
  };
}
