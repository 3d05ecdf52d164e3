import { createHash } from "node:crypto";
import { randomKey, randomText } from "./keys.ts";
import type { Random } from "./seeded.ts";

/** One S3 request to presign, with options that every client has. */
export interface S3Wish {
  readonly method: "GET" | "HEAD" | "PUT" | "DELETE";
  readonly endpoint: string;
  readonly addressing: "path" | "virtual";
  readonly region: string;
  readonly bucket: string;
  /** `undefined` for a call on the bucket. */
  readonly key: string | undefined;
  /** Parameters without the signature's own; names may repeat. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Headers to be signed, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly expiresIn: number;
  readonly signedAt: Date;
}

const ENDPOINTS: readonly (readonly [endpoint: string, region: string, virtual: boolean])[] = [
  ["https://s3.eu-west-1.amazonaws.com", "eu-west-1", true],
  ["https://s3.us-east-1.amazonaws.com", "us-east-1", true],
  ["https://account.r2.cloudflarestorage.com", "auto", true],
  ["http://minio.example.com:9000", "us-east-1", true],
  ["https://storage.example.com:8443", "garage", true],
  ["http://storage.example.org", "eu-central-1", true],
  ["http://127.0.0.1:9000", "us-east-1", false],
  ["http://localhost:8333", "us-west-2", false],
];
const PATH_BUCKETS = ["media", "my-bucket", "b-0123456789", "dotted.bucket.name", "uploads"] as const;
const VIRTUAL_BUCKETS = ["media", "my-bucket", "b-0123456789", "uploads"] as const;
const CREDENTIALS: readonly S3Wish["credentials"][] = [
  { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
  { accessKeyId: "minioadmin", secretAccessKey: "minioadmin" },
  { accessKeyId: "key+with=odd~chars", secretAccessKey: "päss/wörd+ %20" },
  {
    accessKeyId: "ASIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    sessionToken: `IQoJb3JpZ2luX2VjE+/=${"FwoGZXIvYXdzE".repeat(40)}==`,
  },
];
const OVERRIDES = [
  ...["response-cache-control", "response-content-disposition", "response-content-encoding"],
  ...["response-content-language", "response-content-type"],
] as const;
const FREE_NAMES = [
  "acl",
  "x",
  "x-id",
  "Zed",
  "a b",
  "a+b",
  "ünï",
  "0",
  "10",
  "list-type",
  "prefix",
  "_",
  "~t",
  "a.b",
  "__proto__",
] as const;

/** One wish out of the whole space. What a client cannot express is taken away by its oracle. */
export function randomWish(random: Random): S3Wish {
  const [endpoint, region, canBeVirtual] = random.pick(ENDPOINTS);
  const addressing = canBeVirtual && random.chance(0.5) ? "virtual" : "path";
  const method = random.pick(["GET", "GET", "PUT", "PUT", "HEAD", "DELETE"] as const);
  return {
    method,
    endpoint,
    addressing,
    region,
    bucket: random.pick(addressing === "virtual" ? VIRTUAL_BUCKETS : PATH_BUCKETS),
    key: random.chance(0.04) ? undefined : randomKey(random),
    query: randomQuery(random, method),
    headers: method === "PUT" ? randomHeaders(random) : {},
    credentials: random.pick(CREDENTIALS),
    expiresIn: random.chance(0.1) ? random.pick([1, 604_800]) : 1 + random.below(604_800),
    signedAt: new Date(
      Date.UTC(2019 + random.below(15), random.below(12), 1 + random.below(28)) + random.below(86_400) * 1000,
    ),
  };
}

function randomQuery(random: Random, method: string): readonly (readonly [string, string])[] {
  const pairs: [string, string][] = [];
  if (method !== "PUT" && random.chance(0.2)) pairs.push(["versionId", `${randomText(random)}v1`]);
  if (method === "PUT" && random.chance(0.2)) {
    pairs.push(["partNumber", String(1 + random.below(10_000))], ["uploadId", `u${randomText(random)}`]);
  }
  if (method === "GET") {
    for (const name of OVERRIDES) {
      if (random.chance(0.15)) pairs.push([name, `${randomText(random)}; filename*=UTF-8''r%C3%A9.txt`]);
    }
    if (random.chance(0.05)) pairs.push(["response-expires", "Wed, 21 Oct 2026 07:28:00 GMT"]);
  }
  while (random.chance(0.3)) {
    const name = random.pick(FREE_NAMES);
    pairs.push([name, randomText(random)]);
    if (random.chance(0.2)) pairs.push([name, randomText(random)]);
  }
  return pairs;
}

function randomHeaders(random: Random): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  const value = (): string => random.pick(["a", "a  b", " padded ", "a,b", "tab\tbed", 'x=1; y="2"', "*", "~%20+"]);
  if (random.chance(0.3))
    headers["content-type"] = random.pick(["text/plain", "text/plain; charset=utf-8", "image/png"]);
  if (random.chance(0.1)) headers["content-md5"] = createHash("md5").update(value()).digest("base64");
  if (random.chance(0.1)) headers["if-none-match"] = "*";
  if (random.chance(0.1)) headers["cache-control"] = "max-age=60,  public";
  if (random.chance(0.1)) headers["x-amz-content-sha256"] = createHash("sha256").update(value()).digest("hex");
  if (random.chance(0.2)) headers["x-amz-meta-note"] = value();
  if (random.chance(0.1)) headers["x-amz-meta-a.b_c"] = value();
  if (random.chance(0.1)) headers["x-amz-server-side-encryption"] = "AES256";
  return headers;
}
