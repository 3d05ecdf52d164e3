/** Whatever the holder of a key asks for, the storage is asked for nothing beyond the key's scope. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Random, seeded } from "../../../../tools/seeded-random.ts";
import type { S3AccessKey } from "../../src/index.ts";
import type { ObjectRef, Storage } from "../../src/storage/contract/storage.ts";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { contentMd5 } from "../e2e/bucket-client.ts";
import { type S3Sent, sendS3 } from "../e2e/clients.ts";

const REQUESTS = 1500;

interface Scoped {
  readonly scope: NonNullable<S3AccessKey["scope"]>;
  readonly covers: (ref: ObjectRef) => boolean;
  /** Whether all keys with a prefix may be listed. */
  readonly lists: (prefix: string) => boolean;
}

const leaves = (key: string): boolean => /(?:^|\/)\.{1,2}(?:\/|$)/.test(key);
const below = (ref: ObjectRef, start: string): boolean => ref.bucket === "media" && ref.key.startsWith(start);

const SCOPES: readonly Scoped[] = [
  {
    scope: { buckets: ["media"], prefix: "a/b" },
    covers: (ref) => !leaves(ref.key) && (below(ref, "a/b/") || (ref.bucket === "media" && ref.key === "a/b")),
    lists: (prefix) => prefix.startsWith("a/b/"),
  },
  {
    scope: { buckets: ["media"], prefix: "" },
    covers: (ref) => ref.bucket === "media" && !leaves(ref.key),
    lists: () => true,
  },
  {
    scope: { allow: [{ actions: ["s3:*"], resources: ["media/a/b/*"] }] },
    covers: (ref) => !leaves(ref.key) && below(ref, "a/b/"),
    lists: (prefix) => prefix.startsWith("a/b/"),
  },
];

const KEYS = [
  "a/b",
  "a/b/",
  "a/b/x",
  "a/bc",
  "a/b/../../z",
  "a/b/..",
  "./a/b/x",
  "a//b/x",
  "/a/b/x",
  "A/b/x",
  "z",
].concat([
  "a/b%2Fx",
  "../media/z",
  "../other/a/b/x",
  "a/b\\..\\..\\z",
  "a/b/%2e%2e/%2e%2e/z",
  " a/b/x",
  "a/b/x?versionId=null",
]);
const PREFIXES = ["", "a", "a/", "a/b", "a/b/", "a/b/x", "a/bc", "a/b/../", "a/b/..", "z", "a/b//", "/a/b/"];
const BUCKETS = ["media", "media", "other", "MEDIA"];
const SPELLINGS = [encodeURI, encodeURIComponent, (text: string) => text];

let gateway: TestGateway;
let current: Scoped;
let now = "";
const beyond: string[] = [];
const uploads = ["none"];
const key = (): S3AccessKey => ({ accessKeyId: "AKIDSCOPED", secretAccessKey: "the secret", scope: current.scope });

beforeAll(async () => {
  gateway = await testGateway({
    files: { "media/a/b/x": "x", "media/a/bc": "secret", "media/z": "secret", "other/a/b/x": "secret" },
    storage: watched,
    gateway: () => ({ keys: { s3: (id) => (id === "AKIDSCOPED" ? key() : undefined) }, limits: { minPart: 0 } }),
  });
});
afterAll(() => gateway.close());

/** Notes each call for something that the key does not cover. */
function watched(storage: Storage): Storage {
  const isCovered = (name: string, parameters: readonly unknown[]): boolean => {
    if (name === "list" || name === "listUploads") {
      const [bucket, { prefix }] = parameters as [string, { readonly prefix: string }];
      return bucket === "media" && current.lists(prefix);
    }
    if (["createBucket", "deleteBucket", "setCorsRules"].includes(name)) return false;
    const refs = parameters.filter((value) => typeof value === "object" && value !== null && "bucket" in value);
    return refs.every((ref) => current.covers(ref as ObjectRef));
  };
  return new Proxy(storage, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...parameters: readonly unknown[]) => {
        if (!isCovered(String(name), parameters)) beyond.push(`${now} → ${String(name)}`);
        return Reflect.apply(value, target, parameters);
      };
    },
  });
}

function requestOf(random: Random): S3Sent {
  const { pick } = random;
  const [bucket, name, prefix, uploadId] = [pick(BUCKETS), pick(KEYS), pick(PREFIXES), pick(uploads)];
  const copySource = { "x-amz-copy-source": `${pick(["", "/"])}${pick(BUCKETS)}/${pick(SPELLINGS)(pick(KEYS))}` };
  const deletion = `<Delete>${[0, 1, 2].map(() => `<Object><Key>${pick(KEYS)}</Key></Object>`).join("")}</Delete>`;
  const completion =
    "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>";
  const delimiter = pick([{}, { delimiter: "/" }, { delimiter: "b" }]);
  return pick<S3Sent>([
    { method: pick(["GET", "HEAD", "DELETE"]), bucket, key: name },
    { method: "PUT", bucket, key: name, body: "new" },
    { method: "PUT", bucket, key: name, headers: copySource },
    { bucket, query: { "list-type": "2", prefix, ...delimiter, "start-after": pick(KEYS) } },
    { bucket, query: { prefix, ...delimiter, marker: pick(KEYS) } },
    { bucket, query: { uploads: "", prefix, ...delimiter, "key-marker": pick(KEYS) } },
    { bucket, query: { versions: "", prefix, ...delimiter, "key-marker": pick(KEYS) } },
    { method: "POST", bucket, query: { delete: "" }, body: deletion, unsigned: contentMd5(deletion) },
    { method: "POST", bucket, key: name, query: { uploads: "" } },
    { method: "PUT", bucket, key: name, query: { uploadId, partNumber: "1" }, headers: pick([{}, copySource]) },
    { method: "POST", bucket, key: name, query: { uploadId }, body: completion },
    { method: pick(["GET", "DELETE"]), bucket, key: name, query: { uploadId } },
    { method: pick(["GET", "PUT", "DELETE"]), bucket, key: name, query: { [pick(["tagging", "acl"])]: "" } },
    { method: pick(["GET", "PUT", "DELETE"]), bucket, query: pick([{}, { cors: "" }, { policy: "" }]) },
  ]);
}

it(`holds for ${REQUESTS} requests by three keys`, { timeout: 120_000 }, async () => {
  const random = seeded(20_261_127);
  const statuses = new Set<number>();
  for (let count = 0; count < REQUESTS; count++) {
    current = random.pick(SCOPES);
    const sent = requestOf(random);
    now = `${JSON.stringify(current.scope)} ${JSON.stringify(sent)}`;
    const { status, text } = await sendS3(gateway, sent, { credentials: key() });
    statuses.add(status);
    const [, uploadId] = /<UploadId>([0-9a-f]{32})</.exec(text) ?? [];
    if (uploadId !== undefined) uploads.push(uploadId);
    // What an unscoped prefix may read is the other file.
    if (text === "secret" && current.scope.prefix !== "") beyond.push(`${now} ← secret`);
  }
  expect(beyond).toEqual([]);
  expect([...statuses]).toEqual(expect.arrayContaining([200, 204, 403, 404]));
});
