/**
 * Query parameters that select another function of S3 than reading, writing or deleting an object: AWS's sub-resources and
 * the parameters of its listings. Answering one of them as if it were not there would be a wrong 200.
 */
export const SUB_RESOURCES: ReadonlySet<string> = new Set([
  "abac",
  "accelerate",
  "acl",
  "analytics",
  "append",
  "attributes",
  "continuation-token",
  "cors",
  "delete",
  "delimiter",
  "encoding-type",
  "encryption",
  "fetch-owner",
  "intelligent-tiering",
  "inventory",
  "key-marker",
  "legal-hold",
  "lifecycle",
  "list-type",
  "location",
  "logging",
  "marker",
  "max-keys",
  "max-parts",
  "max-uploads",
  "metadataConfiguration",
  "metadataTable",
  "metrics",
  "notification",
  "object-lock",
  "ownershipControls",
  "partNumber",
  "part-number-marker",
  "policy",
  "policyStatus",
  "prefix",
  "publicAccessBlock",
  "renameObject",
  "replication",
  "requestPayment",
  "restore",
  "retention",
  "select",
  "select-type",
  "session",
  "start-after",
  "storageClass",
  "tagging",
  "torrent",
  "upload-id-marker",
  "uploadId",
  "uploads",
  "version-id-marker",
  "versionId",
  "versioning",
  "versions",
  "website",
]);

/**
 * `x-amz-*` names that ask for nothing this gateway would have to do: they carry the signature, describe the client, name a
 * default, or are what an answer tells. Where values are listed, only these are such.
 */
export const HARMLESS_AMZ: ReadonlyMap<string, readonly string[] | undefined> = new Map([
  ["x-amz-acl", ["private", "bucket-owner-full-control"]],
  // The AWS SDK for C++ says with each request which model it was made from: ClickHouse, Arrow, TileDB.
  ["x-amz-api-version", ["2006-03-01"]],
  ["x-amz-cf-id", undefined],
  ["x-amz-checksum-algorithm", undefined],
  ["x-amz-checksum-mode", undefined],
  ["x-amz-checksum-type", ["FULL_OBJECT"]],
  ["x-amz-content-sha256", undefined],
  ["x-amz-date", undefined],
  // These three an answer has. fog for Ruby sends back with a file that it saves what came with it.
  ["x-amz-id-2", undefined],
  // On anything but a copy it says what is done anyway; s3fs sends it with the beginning of an upload in parts.
  ["x-amz-metadata-directive", ["REPLACE"]],
  ["x-amz-request-id", undefined],
  ["x-amz-request-payer", undefined],
  ["x-amz-sdk-checksum-algorithm", undefined],
  ["x-amz-security-token", undefined],
  ["x-amz-storage-class", ["STANDARD"]],
  ["x-amz-tagging-count", undefined],
  ["x-amz-user-agent", undefined],
]);

/** The lists that have a name. A bucket without lists takes those that say what is the case anyway. */
export const CANNED_ACLS: ReadonlySet<string> = new Set([
  "private",
  "public-read",
  "public-read-write",
  "authenticated-read",
  "aws-exec-read",
  "bucket-owner-read",
  "bucket-owner-full-control",
  "log-delivery-write",
]);

export const STORAGE_CLASSES: ReadonlySet<string> = new Set([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "GLACIER_IR",
  "DEEP_ARCHIVE",
  "OUTPOSTS",
  "SNOW",
  "EXPRESS_ONEZONE",
]);
