import type * as sdk from "@aws-sdk/client-s3";
import { randomKey, randomText } from "./keys.ts";
import type { Random } from "./seeded.ts";

/** A command of the AWS SDK with the arguments of its presigner. */
export interface CommandWish {
  readonly name: string;
  readonly client: sdk.S3ClientConfig;
  readonly input: Readonly<Record<string, unknown>>;
  readonly options: {
    readonly expiresIn?: number;
    readonly signingDate: Date | number | string;
    readonly signingRegion?: string;
    readonly unhoistableHeaders?: readonly string[];
    readonly hoistableHeaders?: readonly string[];
    readonly signableHeaders?: readonly string[];
    readonly unsignableHeaders?: readonly string[];
  };
}

const CREDENTIALS = [
  { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
  {
    accessKeyId: "ASIAIOSFODNN7EXAMPLE",
    secretAccessKey: "bPxRfiCY+EXAMPLEKEY",
    sessionToken: "IQoJb3JpZ2luX2VjE+/==",
  },
] as const;
const CLIENTS: readonly sdk.S3ClientConfig[] = [
  { region: "eu-west-1" },
  { region: "us-east-1" },
  { region: "cn-north-1" },
  { region: "eu-west-1", forcePathStyle: true },
  { region: "us-west-2", useDualstackEndpoint: true },
  { region: "us-gov-west-1", useFipsEndpoint: true },
  { region: "eu-central-1", useAccelerateEndpoint: true },
  { region: "eu-west-1", useArnRegion: true },
  { region: "auto", endpoint: "https://account.r2.cloudflarestorage.com" },
  { region: "us-east-1", endpoint: "http://127.0.0.1:9000", forcePathStyle: true },
  { region: "us-east-1", endpoint: "http://minio.example:9000/base/path", forcePathStyle: true },
  { region: "garage", endpoint: "https://s3.garage.example:443" },
];
const BUCKETS = [
  ...["media", "media", "media", "my-bucket-0123", "dotted.bucket.name", "Legacy_Bucket", "ab"],
  "arn:aws:s3:eu-west-1:123456789012:accesspoint/mine",
  "arn:aws:s3:us-west-2:123456789012:accesspoint:mine",
] as const;

type Inputs = Readonly<Record<string, (random: Random) => Record<string, unknown>>>;

/** Members of each command's input, each there by chance. */
const COMMANDS: Inputs = {
  GetObject: (random) => ({
    VersionId: randomText(random),
    PartNumber: 1 + random.below(100),
    Range: "bytes=0-9",
    IfMatch: '"etag"',
    IfModifiedSince: new Date("2026-01-02T03:04:05Z"),
    ResponseContentType: randomText(random),
    ResponseContentDisposition: `attachment; filename="${randomText(random)}"`,
    ResponseCacheControl: randomText(random),
    ResponseExpires: new Date("2026-01-02T03:04:05.678Z"),
    RequestPayer: "requester",
    ExpectedBucketOwner: "123456789012",
    ChecksumMode: "ENABLED",
    ...encryptedBy(random),
  }),
  HeadObject: (random) => ({
    VersionId: randomText(random),
    IfUnmodifiedSince: new Date(0),
    PartNumber: 0,
    ...encryptedBy(random),
  }),
  PutObject: (random) => ({
    ...upload(random),
    Body: random.pick(["", "abc", "ü€", new Uint8Array(5), new Uint8Array(0)]),
    ContentLength: random.below(1e6),
    ChecksumSHA256: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
  }),
  DeleteObject: (random) => ({
    VersionId: randomText(random),
    MFA: "serial 123456",
    BypassGovernanceRetention: random.chance(0.5),
  }),
  UploadPart: (random) => ({
    UploadId: `u${randomText(random)}`,
    PartNumber: random.below(10_000),
    ContentMD5: "1B2M2Y8AsgTpgAmY7PhCfg==",
    Body: "part",
    ...encryptedBy(random),
  }),
  UploadPartCopy: (random) => ({
    UploadId: "u",
    PartNumber: 1,
    CopySource: `media/${encodeURIComponent(randomKey(random))}`,
    CopySourceRange: "bytes=0-9",
    CopySourceIfModifiedSince: new Date(0),
  }),
  CopyObject: (random) => ({
    ...upload(random),
    CopySource: `media/${encodeURIComponent(randomKey(random))}`,
    MetadataDirective: "REPLACE",
    CopySourceSSECustomerKey: "0123456789abcdef0123456789abcdef",
    CopySourceSSECustomerAlgorithm: "AES256",
  }),
  CreateMultipartUpload: (random) => upload(random),
  CompleteMultipartUpload: (random) => ({
    UploadId: `u${randomText(random)}`,
    IfNoneMatch: "*",
    MpuObjectSize: random.below(1e9),
    MultipartUpload: {
      Parts: [
        { ETag: '"a"', PartNumber: 1 },
        { ETag: randomText(random), PartNumber: 2 },
      ],
    },
  }),
  AbortMultipartUpload: (random) => ({
    UploadId: `u${randomText(random)}`,
    IfMatchInitiatedTime: new Date("2026-01-02T03:04:05Z"),
  }),
  ListParts: (random) => ({ UploadId: "u", MaxParts: random.below(1000), PartNumberMarker: "7" }),
  ListObjectsV2: (random) => ({
    Prefix: randomText(random),
    Delimiter: "/",
    MaxKeys: random.below(1000),
    FetchOwner: random.chance(0.5),
    StartAfter: randomText(random),
    EncodingType: "url",
    OptionalObjectAttributes: ["RestoreStatus", 'odd,"one"'],
  }),
  ListObjects: (random) => ({ Prefix: randomText(random), Marker: randomText(random) }),
  ListObjectVersions: (random) => ({ KeyMarker: randomText(random), VersionIdMarker: "v" }),
  ListMultipartUploads: (random) => ({ Prefix: randomText(random), MaxUploads: 3 }),
  HeadBucket: () => ({ ExpectedBucketOwner: "123456789012" }),
  GetBucketLocation: () => ({}),
  GetObjectAttributes: () => ({ ObjectAttributes: ["ETag", "Checksum"], MaxParts: 2 }),
  GetObjectTagging: (random) => ({ VersionId: randomText(random) }),
  DeleteObjectTagging: () => ({}),
  GetObjectAcl: () => ({}),
  GetObjectRetention: () => ({}),
  RestoreObject: () => ({ RestoreRequest: { Days: 2, GlacierJobParameters: { Tier: "Bulk" } } }),
  PutObjectTagging: (random) => ({ Tagging: { TagSet: [{ Key: "a", Value: randomText(random) }] } }),
  PutObjectAcl: () => ({ ACL: "private" }),
  DeleteObjects: (random) => ({ Delete: { Objects: [{ Key: "a" }, { Key: `b${randomText(random)}` }], Quiet: true } }),
  ListBuckets: () => ({ MaxBuckets: 5 }),
};
/** Their body has to have a checksum: the SDK adds one whatever the client says. */
export const CHECKSUM_REQUIRED: ReadonlySet<string> = new Set([
  "PutObjectTagging",
  "PutObjectAcl",
  "DeleteObjects",
  "RestoreObject",
]);
const ALWAYS: ReadonlySet<string> = new Set([
  "UploadId",
  "PartNumber",
  "CopySource",
  "ObjectAttributes",
  "Delete",
  "Tagging",
]);
const NO_KEY = /Bucket|ListObject|ListMultipart|DeleteObjects$/;

export function randomCommand(random: Random): CommandWish {
  const name = random.pick(Object.keys(COMMANDS));
  const members = Object.entries((COMMANDS[name] as Inputs[string])(random));
  const chosen = members.filter(([member]) => ALWAYS.has(member) || random.chance(0.25));
  const client = random.pick(CLIENTS);
  // Accelerated and Fips endpoints take no ARN, nor do servers of others know one.
  const plain =
    client.endpoint !== undefined ||
    client.useAccelerateEndpoint ||
    client.useFipsEndpoint ||
    client.forcePathStyle ||
    client.region === "cn-north-1";
  const bucket = random.pick(BUCKETS.filter((candidate) => !(plain && candidate.startsWith("arn:"))));
  const list = (names: readonly string[]): readonly string[] => names.filter(() => random.chance(0.5));
  const unhoistable = random.chance(0.2) ? list(HEADERS) : undefined;
  const metadata = chosen.find(([member]) => member === "Metadata")?.[1] as Record<string, string> | undefined;
  // As a parameter any text will do; a header beyond ASCII has no bytes that all agree on.
  if (metadata !== undefined && unhoistable?.includes("x-amz-meta-note")) metadata["Note"] = " a  note,\tof two ";
  const when = Date.UTC(2024 + random.below(5), random.below(12), 1 + random.below(28)) + random.below(86_400_000);
  return {
    name,
    client: { ...client, credentials: { ...random.pick(CREDENTIALS) } },
    input: {
      ...(name === "ListBuckets" ? {} : { Bucket: bucket }),
      ...(NO_KEY.test(name) ? {} : { Key: randomKey(random) }),
      ...Object.fromEntries(chosen),
    },
    options: {
      ...(random.chance(0.8) ? { expiresIn: 1 + random.below(604_800) } : {}),
      signingDate: random.pick([
        new Date(when),
        new Date(when).toISOString(),
        Math.floor(when / 1000),
        String(Math.floor(when / 1000)),
      ]),
      ...(random.chance(0.1) ? { signingRegion: "ap-south-1" } : {}),
      ...(unhoistable === undefined ? {} : { unhoistableHeaders: unhoistable }),
      ...(random.chance(0.2) ? { hoistableHeaders: list(HEADERS) } : {}),
      ...(random.chance(0.2) ? { signableHeaders: list(HEADERS) } : {}),
      ...(random.chance(0.2) ? { unsignableHeaders: list(HEADERS) } : {}),
    },
  };
}

const HEADERS = [
  ...[
    "content-type",
    "content-md5",
    "cache-control",
    "range",
    "if-none-match",
    "x-amz-meta-note",
    "x-amz-acl",
    "content-length",
  ],
  ...[
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-content-sha256",
    "x-amz-tagging",
  ],
] as const;

function upload(random: Random): Record<string, unknown> {
  return {
    ACL: "public-read",
    CacheControl: "max-age=60,  public",
    ContentDisposition: 'attachment; filename="a b.txt"',
    ContentEncoding: "gzip",
    ContentType: random.pick(["image/png", "text/plain; charset=utf-8"]),
    ContentLanguage: "de, en",
    Expires: new Date("2026-01-02T03:04:05Z"),
    IfNoneMatch: "*",
    Metadata: { Note: randomText(random), "a.b_c": " x  y ", __proto__: "z" },
    StorageClass: "STANDARD_IA",
    Tagging: "a=b&c=d%20e",
    ServerSideEncryption: "aws:kms",
    SSEKMSKeyId: "arn:aws:kms:eu-west-1:123456789012:key/1",
    BucketKeyEnabled: true,
    ObjectLockRetainUntilDate: new Date("2027-01-02T03:04:05.678Z"),
    WebsiteRedirectLocation: "/a?b#c",
    ...encryptedBy(random),
  };
}

function encryptedBy(random: Random): Record<string, unknown> {
  if (!random.chance(0.3)) return {};
  const bytes = Buffer.from("0123456789abcdef0123456789abcdef");
  return {
    SSECustomerAlgorithm: "AES256",
    SSECustomerKey: random.pick([bytes.toString(), bytes.toString("base64"), new Uint8Array(bytes)]),
  };
}
