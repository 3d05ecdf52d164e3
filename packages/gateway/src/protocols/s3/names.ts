/** A set of words that are separated by white space. */
function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

/**
 * Query parameters that select another function of S3 than reading, writing or deleting an object: AWS's sub-resources and
 * the parameters of its listings. Ignoring such a parameter would be a wrong 200.
 */
export const SUB_RESOURCES: ReadonlySet<string> = words(`
  abac accelerate acl analytics annotation append attributes continuation-token cors delete delimiter
  encoding-type encryption fetch-owner intelligent-tiering inventory key-marker legal-hold lifecycle list-type
  location logging marker max-keys max-parts max-uploads metadataAnnotationTable metadataConfiguration
  metadataInventoryTable metadataJournalTable metadataTable metrics notification object-lock ownershipControls
  partNumber part-number-marker policy policyStatus prefix publicAccessBlock renameObject replication
  requestPayment restore retention select select-type session start-after storageClass tagging torrent
  upload-id-marker uploadId uploads version-id-marker versionId versioning versions website
`);

/**
 * `x-amz-*` names without effect on the result: they carry the signature, describe the client, name a default, or belong to an answer.
 * If values are listed, only these values have no effect.
 */
export const HARMLESS_AMZ: ReadonlyMap<string, readonly string[] | undefined> = new Map([
  ["x-amz-acl", ["private", "bucket-owner-full-control"]],
  // The AWS SDK for C++ sends the version of its model with each request: ClickHouse, Arrow, TileDB.
  ["x-amz-api-version", ["2006-03-01"]],
  ["x-amz-cf-id", undefined],
  ["x-amz-checksum-algorithm", undefined],
  ["x-amz-checksum-mode", undefined],
  ["x-amz-checksum-type", ["FULL_OBJECT"]],
  ["x-amz-content-sha256", undefined],
  ["x-amz-date", undefined],
  // These three belong to answers. fog for Ruby sends them back when it saves a file.
  ["x-amz-id-2", undefined],
  // s3fs sends it with CreateMultipartUpload. Without a source, metadata is always replaced.
  ["x-amz-metadata-directive", ["REPLACE"]],
  ["x-amz-request-id", undefined],
  ["x-amz-request-payer", undefined],
  ["x-amz-sdk-checksum-algorithm", undefined],
  ["x-amz-security-token", undefined],
  ["x-amz-storage-class", ["STANDARD"]],
  ["x-amz-tagging-count", undefined],
  ["x-amz-user-agent", undefined],
]);

/** The canned access control lists. A bucket without lists accepts only those that change nothing. */
export const CANNED_ACLS: ReadonlySet<string> = words(`
  private public-read public-read-write authenticated-read aws-exec-read bucket-owner-read
  bucket-owner-full-control log-delivery-write
`);

export const STORAGE_CLASSES: ReadonlySet<string> = words(`
  STANDARD REDUCED_REDUNDANCY STANDARD_IA ONEZONE_IA INTELLIGENT_TIERING GLACIER GLACIER_IR DEEP_ARCHIVE
  OUTPOSTS SNOW EXPRESS_ONEZONE
`);
