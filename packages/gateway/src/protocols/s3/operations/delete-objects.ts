import type { XmlElement } from "../../../http/xml.ts";
import {
  childrenOf,
  expectOnly,
  malformed,
  optionalText,
  type ReadElement,
  requiredText,
} from "../../../http/xml-reader.ts";
import type { DeleteObjects, Deletion, RefusedDeletion } from "../../../operations/delete-objects.ts";
import type { Permit } from "../../../permit.ts";
import { permitObject } from "../../../pipeline/authorize.ts";
import { toRefusal } from "../../../pipeline/refusal.ts";
import { readIfMatch } from "../../write-fields.ts";
import { notImplemented } from "../amz.ts";
import { noSuchVersion } from "../arguments.ts";
import { readDocument } from "../document.ts";
import { s3Error } from "../errors.ts";
import type { S3PartialOperation } from "../operation.ts";
import { xmlAnswer } from "../xml.ts";

const MAX_OBJECTS = 1000;
/** Room for a thousand keys of 1024 bytes, most of them written as references. */
const MAX_BYTES = 4 * 1024 * 1024;

export const deleteObjectsOperation: S3PartialOperation<DeleteObjects> = {
  name: "DeleteObjects",
  action: "s3:DeleteObject",
  method: "POST",
  on: "keys",
  selectors: ["delete"],
  readsBody: true,
  async read(call) {
    const { permit } = call;
    const document = await readDocument(call, "Delete", { maxBytes: MAX_BYTES, needsDigest: true });
    expectOnly(document, ["Object", "Quiet"]);
    const objects = childrenOf(document, "Object");
    if (objects.length === 0 || objects.length > MAX_OBJECTS) {
      throw malformed(`expected 1 to ${MAX_OBJECTS} objects, found ${objects.length}`);
    }
    return {
      operation: "delete-objects",
      bucket: permit.bucket,
      deletions: objects.map((object) => readDeletion(object, permit)),
      quiet: optionalText(document, "Quiet")?.toLowerCase() === "true",
    };
  },
  present({ outcomes, quiet }, _, { requestId }) {
    const elements = outcomes.flatMap(({ key, versionId, refusal }): XmlElement[] => {
      if (refusal === undefined) {
        return quiet
          ? []
          : [
              [
                "Deleted",
                [
                  ["Key", key],
                  ["VersionId", versionId],
                ],
              ],
            ];
      }
      const { code, message } = s3Error(refusal.code, refusal.details);
      return [
        [
          "Error",
          [
            ["Key", key],
            ["VersionId", versionId],
            ["Code", code],
            ["Message", message],
          ],
        ],
      ];
    });
    return xmlAnswer({ root: "DeleteResult", elements, requestId });
  },
};

/** Each key is permitted on its own, as if a DELETE of it had been signed; what one is refused for is said of that one. */
function readDeletion(element: ReadElement, permit: Permit): Deletion | RefusedDeletion {
  expectOnly(element, ["Key", "VersionId", "ETag", "LastModifiedTime", "Size"]);
  const key = requiredText(element, "Key");
  if (key === "") throw malformed("expected a key, found an empty one");
  const versionId = optionalText(element, "VersionId");
  const etag = optionalText(element, "ETag");
  // "This functionality is only supported for directory buckets."
  const unsupported = ["LastModifiedTime", "Size"].find((name) => optionalText(element, name) !== undefined);
  try {
    if (unsupported !== undefined) throw notImplemented("parameter", unsupported);
    // In a list Amazon says so of ids in whatever form.
    if (versionId !== undefined && versionId !== "null") throw noSuchVersion(versionId, key);
    const object = permitObject(
      permit,
      { bucket: permit.bucket, key },
      { method: "DELETE", action: "s3:DeleteObject" },
    );
    const ifMatch = readIfMatch(etag, () => notImplemented("parameter", "ETag"));
    return { object, versionId, ifMatch };
  } catch (error) {
    const refusal = toRefusal(error);
    if (refusal.code === "INTERNAL") throw error;
    return { key, versionId, refusal };
  }
}
