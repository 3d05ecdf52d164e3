import {
  type AzureOperation,
  azureOperations,
  BODY,
  CREATE,
  LEASE,
  PROPERTIES,
  READ,
  RETENTION,
  VERSION,
  WRITE,
} from "./operations.ts";

const SEQUENCE = "if-sequence-number-le if-sequence-number-lt if-sequence-number-eq";
const APPEND = "blob-condition-maxsize blob-condition-appendpos";
const SOURCE =
  "copy-source copy-source-authorization copy-source-tag-option copy-source-blob-properties source-range source-content-md5 source-content-crc64 source-if-match source-if-none-match source-if-modified-since source-if-unmodified-since source-if-tags source-lease-id source-encryption-key source-encryption-key-sha256 source-encryption-algorithm requires-sync rehydrate-priority seal-blob blob-type file-request-intent";
// Conditions on the blob: its tags have a separate entity tag and time.
const OF_BLOB = "blob-if-match blob-if-none-match blob-if-modified-since blob-if-unmodified-since";
const SEARCH = "where marker maxresults include";

/**
 * Every operation that a SAS can permit on Azure, except those that name a second blob (see {@link azureCopyOperations}).
 * Pass it, or a part of it, to a verifier in `operations`.
 *
 * Not included, and therefore refused: batches, a container's access policies (which no SAS permits), account
 * information, and anything that would make a container public.
 *
 * Source: the operations' pages in the Azure Storage REST reference, "Permissions for a directory, container, or blob" and
 * "Account SAS permissions by operation"; Azurite 3.37.0 (OperationBlobSASPermission, OperationAccountSASPermission) asks for
 * the same letters.
 */
export const azureAllOperations: readonly AzureOperation[] = [
  ...azureOperations,
  ["get-blob-tags", "GET o tags", "t", `${LEASE} ${OF_BLOB}`, VERSION],
  ["get-page-ranges", "GET o pagelist", "r", `${READ} range`, `${VERSION} prevsnapshot marker maxresults`],
  ["query-blob", "POST o query", "r", `${READ} ${BODY}`, VERSION],
  ["append-block", "PUT o appendblock", "aw", `${WRITE} ${BODY} ${APPEND}`, ""],
  ["seal-append-blob", "PUT o seal", "w", `${LEASE} ${APPEND}`, ""],
  ["put-page", "PUT o page", "w", `${WRITE} ${BODY} ${SEQUENCE} range page-write`, ""],
  ["resize-page-blob", "PUT o properties +blob-content-length", "w", `${WRITE} ${PROPERTIES} blob-content-length`, ""],
  [
    "set-sequence-number",
    "PUT o properties +sequence-number-action",
    "w",
    `${LEASE} ${PROPERTIES} sequence-number-action blob-sequence-number`,
    "",
  ],
  ["set-blob-tags", "PUT o tags", "t", `${LEASE} ${BODY} ${OF_BLOB}`, "versionid"],
  ["set-blob-tier", "PUT o tier", "w", `${LEASE} access-tier rehydrate-priority`, VERSION],
  ["snapshot-blob", "PUT o snapshot", "cw", `${WRITE} meta-*`, ""],
  ["break-lease", "PUT o lease +lease-action=break", "wd", `${LEASE} lease-action lease-break-period`, ""],
  ["lease-blob", "PUT o lease", "w", `${LEASE} lease-action lease-duration proposed-lease-id`, ""],
  ["undelete-blob", "PUT o undelete", "w", "", ""],
  ["set-expiry", "PUT o expiry", "w", `${LEASE} expiry-option expiry-time`, ""],
  ["set-immutability-policy", "PUT o immutabilityPolicies", "i", RETENTION, VERSION],
  ["delete-immutability-policy", "DELETE o immutabilityPolicies", "i", "", VERSION],
  ["set-legal-hold", "PUT o legalhold", "i", "legal-hold", VERSION],
  ["delete-permanently", "DELETE o +deletetype=permanent", "y", LEASE, `${VERSION} deletetype`],
  ["delete-version", "DELETE o +versionid", "x", LEASE, "versionid"],
  ["find-blobs", "GET c blobs", "f", "", SEARCH],
  // What follows needs an account SAS.
  ["get-container-properties", "GET c", "r", LEASE, ""],
  ["get-container-metadata", "GET c metadata", "r", LEASE, ""],
  ["create-container", "PUT c", "cw", "meta-* default-encryption-scope deny-encryption-scope-override", ""],
  ["set-container-metadata", "PUT c metadata", "w", `${LEASE} meta-*`, ""],
  ["restore-container", "PUT c undelete", "w", "deleted-container-name deleted-container-version", ""],
  ["break-container-lease", "PUT c lease +lease-action=break", "wd", `${LEASE} lease-action lease-break-period`, ""],
  ["lease-container", "PUT c lease", "w", `${LEASE} lease-action lease-duration proposed-lease-id`, ""],
  ["delete-container", "DELETE c", "d", LEASE, ""],
  ["list-containers", "GET s list", "l", "", "prefix marker maxresults include"],
  ["find-blobs-in-account", "GET s blobs", "f", "", SEARCH],
  ["get-service-properties", "GET s properties", "r", "", ""],
  ["get-service-stats", "GET s stats", "r", "", ""],
  ["set-service-properties", "PUT s properties", "w", "", ""],
];

/**
 * Operations whose header `x-ms-copy-source` names another blob. Nothing signs that header: a server that supports them
 * must authorise reading the source like any other read, or a holder copies with the rights of the signer
 * (CVE-2026-54330).
 */
export const azureCopyOperations: readonly AzureOperation[] = [
  ["copy-blob", "PUT o +copy-source", "cw", `${CREATE} ${SOURCE}`, ""],
  ["incremental-copy-blob", "PUT o incrementalcopy", "cw", `${LEASE} copy-source`, ""],
  ["abort-copy", "PUT o copy", "w", `${LEASE} copy-action`, "copyid"],
  ["put-block-from-url", "PUT o block +copy-source", "w", `${WRITE} ${SOURCE}`, "blockid"],
  ["append-block-from-url", "PUT o appendblock +copy-source", "aw", `${WRITE} ${SOURCE} ${APPEND}`, ""],
  ["put-page-from-url", "PUT o page +copy-source", "w", `${WRITE} ${SOURCE} ${SEQUENCE} range page-write`, ""],
];
