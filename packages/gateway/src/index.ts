/**
 * The gateway: {@link createGateway} turns requests into outcomes. Sockets are in `@daypass/gateway/node`; storage drivers have
 * their own subpaths.
 *
 * @module
 */
export { createGateway, type Gateway } from "./gateway.ts";
export type { HashAlgorithm } from "./http/checksum.ts";
export type { CorsPolicy, CorsRule } from "./http/cors.ts";
export type { CrcAlgorithm } from "./http/crc.ts";
export { isHostOf } from "./http/origin-hosts.ts";
export { hiddenPart } from "./links/hidden-names.ts";
export type { LinkCounts, UseKind } from "./links/link-counts.ts";
export { type Links, type LinksOptions, openLinks, type RevocationSnapshot } from "./links/links.ts";
export { nearestName } from "./links/nearest-name.ts";
export type { LinkOpener, LinkProblem, LinkRefused, OpenedLink, Presented } from "./links/open-link.ts";
export type { PasswordClient, Passwords } from "./links/password.ts";
export type { Revocable, RevocationList } from "./links/revocation-list.ts";
export type { GatewayOptions } from "./options.ts";
export type { AccessEvent, LoggedDeletion } from "./pipeline/access-log.ts";
export type { Allowance, KeyScope } from "./pipeline/key-scope.ts";
export { defaultLimits, type Limits } from "./pipeline/limits.ts";
export type { MetricName, Metrics, MetricsSnapshot } from "./pipeline/metrics.ts";
export type { DeliveryFault, Outcome } from "./pipeline/outcome.ts";
export { type Tally, tally } from "./pipeline/probes.ts";
export { redactTarget } from "./pipeline/redact.ts";
export type { GatewayCode, RefusalCode } from "./pipeline/refusal.ts";
export { type Resource, scopeBreach } from "./pipeline/scope-match.ts";
export { type Mac, type Session, type SessionRequest, type Sessions, sessions } from "./pipeline/sessions.ts";
export { type SteadyClock, steadyClock } from "./pipeline/steady-clock.ts";
export type { Occupancy } from "./pipeline/unverified-body-limit.ts";
export type { HandOver } from "./protocols/link/hand-over.ts";
export type { S3AccessKey } from "./protocols/s3/verifiers.ts";
export type { Dialect, FrontKeys } from "./protocols.ts";
export type { GatewayLinks, GatewaySettings } from "./settings.ts";
export type { BucketInfo, Buckets } from "./storage/contract/buckets.ts";
export type {
  ListEntry,
  ListedObject,
  ListedPrefix,
  Listing,
  ListOptions,
  ListPage,
  ListPosition,
} from "./storage/contract/listing.ts";
export type {
  CompletedUpload,
  CompleteOptions,
  CopyPartOptions,
  CreateUploadOptions,
  ListUploadsOptions,
  MultipartStorage,
  NamedPart,
  PartInfo,
  PartPage,
  PutPartOptions,
  UploadChecksum,
  UploadEntry,
  UploadInfo,
  UploadPage,
  UploadRef,
} from "./storage/contract/multipart.ts";
export type {
  Body,
  ByteRange,
  BytesBody,
  ChecksumAlgorithm,
  ChecksumRequest,
  CopyOptions,
  DeclaredDigests,
  DeleteOptions,
  FileBody,
  GetOptions,
  ObjectInfo,
  ObjectPart,
  ObjectRef,
  OpenObject,
  PutOptions,
  RedirectBody,
  RedirectOptions,
  SetTagsOptions,
  Storage,
  StorageErrorCode,
  StorageErrorOptions,
  StoredHeaders,
  StreamBody,
} from "./storage/contract/storage.ts";
export { isStorageError, StorageError } from "./storage/contract/storage.ts";
