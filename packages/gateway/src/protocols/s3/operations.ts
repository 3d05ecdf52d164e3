/**
 * The one list of what S3 clients can ask for.
 * @module
 */
import type { S3Operation } from "./operation.ts";
import { abortMultipartUploadOperation } from "./operations/abort-multipart-upload.ts";
import { completeMultipartUploadOperation } from "./operations/complete-multipart-upload.ts";
import { copyObjectOperation } from "./operations/copy-object.ts";
import { createMultipartUploadOperation } from "./operations/create-multipart-upload.ts";
import { deleteObjectOperation } from "./operations/delete-object.ts";
import { deleteObjectTaggingOperation } from "./operations/delete-object-tagging.ts";
import { getObjectOperation } from "./operations/get-object.ts";
import { getObjectAclOperation } from "./operations/get-object-acl.ts";
import { getObjectAttributesOperation } from "./operations/get-object-attributes.ts";
import { getObjectTaggingOperation } from "./operations/get-object-tagging.ts";
import { headObjectOperation } from "./operations/head-object.ts";
import { listMultipartUploadsOperation } from "./operations/list-multipart-uploads.ts";
import { listPartsOperation } from "./operations/list-parts.ts";
import { putObjectOperation } from "./operations/put-object.ts";
import { putObjectAclOperation } from "./operations/put-object-acl.ts";
import { putObjectTaggingOperation } from "./operations/put-object-tagging.ts";
import { uploadPartOperation } from "./operations/upload-part.ts";
import { uploadPartCopyOperation } from "./operations/upload-part-copy.ts";

/** Of two that fit a request the earlier one counts, so those with selectors stand before those without. */
export const s3Operations: readonly S3Operation[] = [
  getObjectAclOperation,
  getObjectAttributesOperation,
  getObjectTaggingOperation,
  listPartsOperation,
  putObjectAclOperation,
  putObjectTaggingOperation,
  uploadPartCopyOperation,
  uploadPartOperation,
  copyObjectOperation,
  createMultipartUploadOperation,
  completeMultipartUploadOperation,
  deleteObjectTaggingOperation,
  abortMultipartUploadOperation,
  getObjectOperation,
  headObjectOperation,
  putObjectOperation,
  deleteObjectOperation,
  listMultipartUploadsOperation,
];
