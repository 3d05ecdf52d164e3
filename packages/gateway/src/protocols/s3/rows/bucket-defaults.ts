/**
 * Settings of a bucket that this gateway does not have. Tools ask for them before or after they use a bucket.
 * @module
 */
import type { XmlContent } from "../../../http/xml.ts";
import type { HeadBucket } from "../../../operations/buckets.ts";
import { permitBucketName } from "../../../pipeline/authorize.ts";
import { Refusal } from "../../../pipeline/refusal.ts";
import { OWNER_POLICY, xmlAnswer } from "../answers.ts";
import { onKeys, type S3Row } from "../row.ts";

/** Amazon's answer if a setting is not made: a document, or an error with the status 404. */
type Default =
  | { readonly root: string; readonly content: (region: string) => XmlContent }
  | { readonly code: string; readonly text: string };

const document = (root: string, content: XmlContent = {}): Default => ({ root, content: () => content });
const notSet = (code: string, text: string): Default => ({ code, text });

/** The operation, the parameter that selects it, and the answer. The action is the last member if its name differs. */
type DefaultRow = readonly [name: string, selectors: string, answer: Default, action?: string];

// Codes, texts and documents that Amazon returns for a bucket without settings. Encryption and public access differ from a new bucket of
// Amazon and describe this gateway: it does not encrypt files, and no object is public.
const DEFAULTS: readonly DefaultRow[] = [
  [
    "GetBucketLocation",
    "location",
    // "Buckets in Region us-east-1 have a LocationConstraint of null."
    { root: "LocationConstraint", content: (region) => (region === "us-east-1" ? "" : region) },
  ],
  ["GetBucketVersioning", "versioning", document("VersioningConfiguration")],
  ["GetBucketAcl", "acl", document("AccessControlPolicy", OWNER_POLICY)],
  ["GetBucketPolicyStatus", "policyStatus", notSet("NoSuchBucketPolicy", "The bucket policy does not exist")],
  ["GetBucketPolicy", "policy", notSet("NoSuchBucketPolicy", "The bucket policy does not exist")],
  [
    "GetBucketLifecycleConfiguration",
    "lifecycle",
    notSet("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    "GetLifecycleConfiguration",
  ],
  ["GetBucketTagging", "tagging", notSet("NoSuchTagSet", "The TagSet does not exist")],
  [
    "GetBucketEncryption",
    "encryption",
    notSet("ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found"),
    "GetEncryptionConfiguration",
  ],
  [
    "GetObjectLockConfiguration",
    "object-lock",
    notSet("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"),
    "GetBucketObjectLockConfiguration",
  ],
  [
    "GetBucketReplication",
    "replication",
    notSet("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    "GetReplicationConfiguration",
  ],
  [
    "GetBucketWebsite",
    "website",
    notSet("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
  ],
  [
    "GetPublicAccessBlock",
    "publicAccessBlock",
    document("PublicAccessBlockConfiguration", {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    }),
    "GetBucketPublicAccessBlock",
  ],
  [
    "GetBucketOwnershipControls",
    "ownershipControls",
    document("OwnershipControls", { Rule: { ObjectOwnership: "BucketOwnerEnforced" } }),
  ],
  ["GetBucketRequestPayment", "requestPayment", document("RequestPaymentConfiguration", { Payer: "BucketOwner" })],
  [
    "GetBucketNotificationConfiguration",
    "notification",
    document("NotificationConfiguration"),
    "GetBucketNotification",
  ],
  ["GetBucketLogging", "logging", document("BucketLoggingStatus")],
  ["GetBucketAccelerateConfiguration", "accelerate", document("AccelerateConfiguration"), "GetAccelerateConfiguration"],
  ...(
    [
      ["Analytics", "analytics", "ListBucketAnalyticsConfigurationResult"],
      ["IntelligentTiering", "intelligent-tiering", "ListBucketIntelligentTieringConfigurationsOutput"],
      ["Inventory", "inventory", "ListInventoryConfigurationsResult"],
      ["Metrics", "metrics", "ListMetricsConfigurationsResult"],
    ] as const
  ).flatMap(([kind, selector, root]): DefaultRow[] => [
    [
      `GetBucket${kind}Configuration`,
      `${selector} id`,
      notSet("NoSuchConfiguration", "The specified configuration does not exist."),
      `Get${kind}Configuration`,
    ],
    [`ListBucket${kind}Configurations`, selector, document(root, { IsTruncated: false }), `Get${kind}Configuration`],
  ]),
];

export const bucketDefaultRows: readonly S3Row[] = DEFAULTS.map(([name, selectors, answer, action = name]) =>
  onKeys<HeadBucket>({
    name,
    action: `s3:${action}`,
    method: "GET",
    selectors: selectors.split(" "),
    read: ({ permit }) => ({ operation: "head-bucket", bucket: permitBucketName(permit) }),
    present(_, { asked, call, requestId }) {
      if ("code" in answer) throw notConfigured(asked.bucket, answer.code, answer.text);
      return xmlAnswer({ requestId }, { root: answer.root, content: answer.content(call.region) });
    },
  }),
);

/** The refusal of a read of a setting that a bucket could have and does not. */
export function notConfigured(bucket: string, code: string, text: string): Refusal {
  const message = `the bucket does not have this setting. ${text}`;
  return new Refusal("NOT_CONFIGURED", message, { code, text, bucket });
}
