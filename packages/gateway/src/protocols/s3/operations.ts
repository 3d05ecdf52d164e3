/**
 * The one list of what S3 clients can ask for.
 * @module
 */
import type { S3Operation } from "./operation.ts";
import { deleteObjectOperation } from "./operations/delete-object.ts";
import { getObjectOperation } from "./operations/get-object.ts";
import { headObjectOperation } from "./operations/head-object.ts";
import { putObjectOperation } from "./operations/put-object.ts";

/** Of two that fit a request the earlier one counts, so those with selectors stand before those without. */
export const s3Operations: readonly S3Operation[] = [
  getObjectOperation,
  headObjectOperation,
  putObjectOperation,
  deleteObjectOperation,
];
