/**
 * What tools ask of a bucket before or after they use it, answered with what is the case: no versions, one owner, nothing set.
 * @module
 */
import type { XmlContent } from "../../../http/xml.ts";
import type { HeadBucket } from "../../../operations/head-bucket.ts";
import { permitBucketName } from "../../../pipeline/authorize.ts";
import { Refusal } from "../../../pipeline/refusal.ts";
import type { S3Action, S3PartialOperation } from "../operation.ts";
import { ownerElement, ownerGrants } from "../owner.ts";
import { xmlAnswer } from "../xml.ts";

/** What Amazon says where nothing was set: a document, or an error of status 404. */
type Default =
  | { readonly root: string; readonly content: (region: string) => XmlContent }
  | { readonly code: string; readonly text: string };

interface DefaultRow {
  readonly name: string;
  /** Where it is not `s3:` and the name. */
  readonly action?: S3Action;
  readonly selector: string;
  readonly answer: Default;
  /** It is one of a list, and asked for by this. */
  readonly id?: boolean;
}

const empty = (root: string): Default => ({ root, content: () => [] });
const notSet = (code: string, text: string): Default => ({ code, text });
const noneOf = (root: string): Default => ({ root, content: () => [["IsTruncated", false]] });

// Codes, texts and documents as Amazon gives them for a bucket on which nothing was set. Two are not what a new bucket of Amazon
// has but what is true here: files are not encrypted by the gateway, and no object is public.
const DEFAULTS: readonly DefaultRow[] = [
  {
    name: "GetBucketLocation",
    selector: "location",
    // "Buckets in Region us-east-1 have a LocationConstraint of null."
    answer: { root: "LocationConstraint", content: (region) => (region === "us-east-1" ? "" : region) },
  },
  { name: "GetBucketVersioning", selector: "versioning", answer: empty("VersioningConfiguration") },
  {
    name: "GetBucketAcl",
    selector: "acl",
    answer: { root: "AccessControlPolicy", content: () => [ownerElement("Owner"), ownerGrants()] },
  },
  {
    name: "GetBucketPolicyStatus",
    selector: "policyStatus",
    answer: notSet("NoSuchBucketPolicy", "The bucket policy does not exist"),
  },
  {
    name: "GetBucketPolicy",
    selector: "policy",
    answer: notSet("NoSuchBucketPolicy", "The bucket policy does not exist"),
  },
  {
    name: "GetBucketLifecycleConfiguration",
    action: "s3:GetLifecycleConfiguration",
    selector: "lifecycle",
    answer: notSet("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
  },
  { name: "GetBucketTagging", selector: "tagging", answer: notSet("NoSuchTagSet", "The TagSet does not exist") },
  {
    name: "GetBucketEncryption",
    action: "s3:GetEncryptionConfiguration",
    selector: "encryption",
    answer: notSet(
      "ServerSideEncryptionConfigurationNotFoundError",
      "The server side encryption configuration was not found",
    ),
  },
  {
    name: "GetObjectLockConfiguration",
    action: "s3:GetBucketObjectLockConfiguration",
    selector: "object-lock",
    answer: notSet("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"),
  },
  {
    name: "GetBucketReplication",
    action: "s3:GetReplicationConfiguration",
    selector: "replication",
    answer: notSet("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
  },
  {
    name: "GetBucketWebsite",
    selector: "website",
    answer: notSet("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
  },
  {
    name: "GetPublicAccessBlock",
    action: "s3:GetBucketPublicAccessBlock",
    selector: "publicAccessBlock",
    answer: {
      root: "PublicAccessBlockConfiguration",
      content: () => [
        ["BlockPublicAcls", true],
        ["IgnorePublicAcls", true],
        ["BlockPublicPolicy", true],
        ["RestrictPublicBuckets", true],
      ],
    },
  },
  {
    name: "GetBucketOwnershipControls",
    selector: "ownershipControls",
    answer: {
      root: "OwnershipControls",
      content: () => [["Rule", [["ObjectOwnership", "BucketOwnerEnforced"]]]],
    },
  },
  {
    name: "GetBucketRequestPayment",
    selector: "requestPayment",
    answer: { root: "RequestPaymentConfiguration", content: () => [["Payer", "BucketOwner"]] },
  },
  {
    name: "GetBucketNotificationConfiguration",
    action: "s3:GetBucketNotification",
    selector: "notification",
    answer: empty("NotificationConfiguration"),
  },
  { name: "GetBucketLogging", selector: "logging", answer: empty("BucketLoggingStatus") },
  {
    name: "GetBucketAccelerateConfiguration",
    action: "s3:GetAccelerateConfiguration",
    selector: "accelerate",
    answer: empty("AccelerateConfiguration"),
  },
  ...(
    [
      ["Analytics", "analytics", "ListBucketAnalyticsConfigurationResult"],
      ["IntelligentTiering", "intelligent-tiering", "ListBucketIntelligentTieringConfigurationsOutput"],
      ["Inventory", "inventory", "ListInventoryConfigurationsResult"],
      ["Metrics", "metrics", "ListMetricsConfigurationsResult"],
    ] as const
  ).flatMap(([kind, selector, root]): DefaultRow[] => [
    {
      name: `GetBucket${kind}Configuration`,
      action: `s3:Get${kind}Configuration`,
      selector,
      id: true,
      answer: notSet("NoSuchConfiguration", "The specified configuration does not exist."),
    },
    {
      name: `ListBucket${kind}Configurations`,
      action: `s3:Get${kind}Configuration`,
      selector,
      answer: noneOf(root),
    },
  ]),
];

export const bucketDefaultOperations: readonly S3PartialOperation<HeadBucket>[] = DEFAULTS.map(
  ({ name, action = `s3:${name}`, selector, answer, id = false }) => ({
    name,
    action,
    method: "GET",
    on: "keys",
    selectors: id ? [selector, "id"] : [selector],
    readsBody: false,
    read: ({ permit, region }) => ({ operation: "head-bucket", bucket: permitBucketName(permit), region }),
    present({ bucket, region }, _, { requestId }) {
      if ("code" in answer) throw notConfigured(answer, bucket);
      return xmlAnswer({ root: answer.root, elements: answer.content(region), requestId });
    },
  }),
);

/** The refusal of something that can be set for a bucket, and was not. */
export function notConfigured(
  { code, text }: { readonly code: string; readonly text: string },
  bucket: string,
): Refusal {
  return new Refusal("NOT_CONFIGURED", `expected something to be set for the bucket, found nothing: ${text}`, {
    code,
    text,
    bucket,
  });
}
