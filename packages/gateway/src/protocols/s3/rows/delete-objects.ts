import type { XmlElements } from "../../../http/xml.ts";
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
import { readIfMatch } from "../../request-fields.ts";
import { xmlAnswer } from "../answers.ts";
import { noSuchVersion, notImplemented } from "../arguments.ts";
import { readDocument } from "../document.ts";
import { s3Error } from "../errors.ts";
import { onKeys, type S3Row } from "../row.ts";

const MAX_OBJECTS = 1000;
/** Enough for a thousand keys of this length, most of them written as references. */
const MAX_KEY_LENGTH = 1024;
const MAX_BYTES = 4 * 1024 * 1024;

export const deleteObjectsRow: S3Row = onKeys<DeleteObjects>({
  name: "DeleteObjects",
  action: "s3:DeleteObject",
  method: "POST",
  selectors: ["delete"],
  readsBody: true,
  async read(call) {
    const { permit } = call;
    const document = await readDocument(call, "Delete", {
      maxBytes: MAX_BYTES,
      needsDigest: true,
      longestText: MAX_KEY_LENGTH + 1,
    });
    expectOnly(document, ["Object", "Quiet"]);
    const objects = childrenOf(document, "Object");
    if (objects.length === 0 || objects.length > MAX_OBJECTS) {
      throw malformed(`the document names ${objects.length} objects. Name 1 to ${MAX_OBJECTS}`);
    }
    return {
      operation: "delete-objects",
      bucket: permit.bucket,
      deletions: objects.map((object) => readDeletion(object, permit)),
      quiet: optionalText(document, "Quiet")?.toLowerCase() === "true",
    };
  },
  present({ outcomes }, { asked, requestId }) {
    // The order of the request, with refusals in their places.
    const content = outcomes.flatMap(({ key, versionId, refusal }): XmlElements[] => {
      const named = { Key: key, VersionId: versionId };
      if (refusal === undefined) return asked.quiet ? [] : [{ Deleted: named }];
      const { code, message } = s3Error(refusal.code, refusal.details);
      return [{ Error: { ...named, Code: code, Message: message } }];
    });
    return xmlAnswer({ requestId }, { root: "DeleteResult", content });
  },
});

/** Permits each key on its own, as if a DELETE of the key had been signed. A refusal applies to that key alone. */
function readDeletion(element: ReadElement, permit: Permit): Deletion | RefusedDeletion {
  expectOnly(element, ["Key", "VersionId", "ETag", "LastModifiedTime", "Size"]);
  const key = requiredText(element, "Key");
  if (key === "") throw malformed("a Key is empty. Name an object");
  const versionId = optionalText(element, "VersionId");
  const etag = optionalText(element, "ETag");
  // "This functionality is only supported for directory buckets."
  const unsupported = ["LastModifiedTime", "Size"].find((name) => optionalText(element, name) !== undefined);
  try {
    if (unsupported !== undefined) throw notImplemented("parameter", unsupported);
    // In a list Amazon reports ids of any form as missing.
    if (versionId !== undefined && versionId !== "null") throw noSuchVersion(versionId, key);
    const deletion = { method: "DELETE", action: "s3:DeleteObject" };
    const object = permitObject(permit, { bucket: permit.bucket, key }, deletion);
    const ifMatch = readIfMatch(etag, () => notImplemented("parameter", "ETag"));
    return { object, versionId, ifMatch };
  } catch (error) {
    const refusal = toRefusal(error);
    if (refusal.code === "INTERNAL") throw error;
    return { key, versionId, refusal };
  }
}
