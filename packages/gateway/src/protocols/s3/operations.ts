/**
 * The one list of what S3 clients can ask for.
 * @module
 */
import type { S3Operation } from "./operation.ts";
import { abortMultipartUploadOperation } from "./operations/abort-multipart-upload.ts";
import { bucketDefaultOperations } from "./operations/bucket-defaults.ts";
import { completeMultipartUploadOperation } from "./operations/complete-multipart-upload.ts";
import { copyObjectOperation } from "./operations/copy-object.ts";
import { createBucketOperation } from "./operations/create-bucket.ts";
import { createMultipartUploadOperation } from "./operations/create-multipart-upload.ts";
import { deleteBucketOperation } from "./operations/delete-bucket.ts";
import { deleteBucketCorsOperation } from "./operations/delete-bucket-cors.ts";
import { deleteObjectOperation } from "./operations/delete-object.ts";
import { deleteObjectTaggingOperation } from "./operations/delete-object-tagging.ts";
import { deleteObjectsOperation } from "./operations/delete-objects.ts";
import { getBucketCorsOperation } from "./operations/get-bucket-cors.ts";
import { getObjectOperation } from "./operations/get-object.ts";
import { getObjectAclOperation } from "./operations/get-object-acl.ts";
import { getObjectAttributesOperation } from "./operations/get-object-attributes.ts";
import { getObjectTaggingOperation } from "./operations/get-object-tagging.ts";
import { headBucketOperation } from "./operations/head-bucket.ts";
import { headObjectOperation } from "./operations/head-object.ts";
import { listBucketsOperation } from "./operations/list-buckets.ts";
import { listMultipartUploadsOperation } from "./operations/list-multipart-uploads.ts";
import { listObjectVersionsOperation } from "./operations/list-object-versions.ts";
import { listObjectsOperation } from "./operations/list-objects.ts";
import { listObjectsV2Operation } from "./operations/list-objects-v2.ts";
import { listPartsOperation } from "./operations/list-parts.ts";
import { putBucketCorsOperation } from "./operations/put-bucket-cors.ts";
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

  listBucketsOperation,
  getBucketCorsOperation,
  putBucketCorsOperation,
  deleteBucketCorsOperation,
  ...bucketDefaultOperations,
  listObjectVersionsOperation,
  listObjectsV2Operation,
  listObjectsOperation,
  deleteObjectsOperation,
  headBucketOperation,
  createBucketOperation,
  deleteBucketOperation,
];
