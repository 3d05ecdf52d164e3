import { createHash } from "node:crypto";
import type { WishedCondition } from "./forms.ts";
import { randomKey, randomText } from "./keys.ts";
import type { Random } from "./seeded.ts";

/** One Cloud Storage request to sign, with options that the official client has. */
export interface GcsWish extends GcsPlace {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly bucket: string;
  /** `undefined` for a call on the bucket, which the client has for `GET` alone. */
  readonly object: string | undefined;
  readonly query: Readonly<Record<string, string>>;
  readonly response: { readonly contentDisposition?: string; readonly contentType?: string };
  /** Headers to be signed, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresIn: number;
  readonly signedAt: Date;
}

export interface GcsPlace {
  readonly addressing: "path" | "virtual" | "bucket-bound";
  readonly endpoint?: string;
  readonly universeDomain?: string;
}

/** A wish to have one upload form signed. */
export interface GcsFormWish extends GcsPlace {
  readonly bucket: string;
  readonly object: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly conditions: readonly WishedCondition[];
  readonly expiresIn: number;
  readonly signedAt: Date;
}

const PLACES: readonly GcsPlace[] = [
  { addressing: "path" },
  { addressing: "path", universeDomain: "apis-tpczero.goog" },
  { addressing: "path", endpoint: "http://localhost:9023" },
  { addressing: "path", endpoint: "https://storage.example.com:8443" },
  { addressing: "virtual" },
  { addressing: "virtual", universeDomain: "apis-tpczero.goog" },
  { addressing: "bucket-bound", endpoint: "https://cdn.example.com" },
  { addressing: "bucket-bound", endpoint: "http://media.example.org:8080" },
];
export const NAMES = [
  "x",
  "x-id",
  "Zed",
  "a b",
  "a+b",
  "ünï",
  "0",
  "10",
  "prefix",
  "_",
  "~t",
  "a.b",
  "userProject",
] as const;
const META = ["note", "a.b_c", "a-b", "a_b", "a.b", "z"] as const;

/** One wish out of the whole space. */
export function randomGcsWish(random: Random): GcsWish {
  const object = random.chance(0.04) ? undefined : randomKey(random);
  const method = object === undefined ? "GET" : random.pick(["GET", "GET", "PUT", "POST", "DELETE"] as const);
  return {
    ...randomPlace(random),
    method,
    object,
    query: randomQuery(random, method),
    response: method === "GET" && object !== undefined ? randomResponse(random) : {},
    headers: method === "PUT" || method === "POST" ? randomHeaders(random, method) : {},
    expiresIn: random.chance(0.1) ? random.pick([1, 604_800]) : 1 + random.below(604_800),
    signedAt: randomInstant(random),
  };
}

function randomPlace(random: Random): GcsPlace & { readonly bucket: string } {
  const place = random.pick(PLACES);
  return { ...place, bucket: random.pick(["media", "my-bucket", "b_0123456789", "dotted.bucket"]) };
}

function randomInstant(random: Random): Date {
  return new Date(
    Date.UTC(2019 + random.below(15), random.below(12), 1 + random.below(28)) + random.below(86_400) * 1000,
  );
}

function randomQuery(random: Random, method: string): Readonly<Record<string, string>> {
  const pairs: [string, string][] = [];
  if (random.chance(0.2)) pairs.push(["generation", String(random.below(1e9))]);
  if (method === "PUT" && random.chance(0.2)) pairs.push(["upload_id", `u${randomText(random)}`]);
  for (const name of NAMES) if (random.chance(0.08)) pairs.push([name, randomText(random)]);
  if (random.chance(0.02)) pairs.push(["__proto__", randomText(random)]);
  return Object.fromEntries(pairs);
}

function randomResponse(random: Random): GcsWish["response"] {
  const contentDisposition = `attachment; filename="${randomText(random)}"; filename*=UTF-8''r%C3%A9.txt`;
  return {
    ...(random.chance(0.3) ? { contentDisposition } : {}),
    ...(random.chance(0.2) ? { contentType: random.pick(["text/plain", "text/plain; charset=utf-8"]) } : {}),
  };
}

function randomHeaders(random: Random, method: "PUT" | "POST"): Readonly<Record<string, string>> {
  // The client's action for a POST is to begin a resumable upload, and it signs this.
  const headers: Record<string, string> = method === "POST" ? { "x-goog-resumable": "start" } : {};
  const value = (): string => random.pick(["a", "a  b", " padded ", "a,b", "tab\tbed", 'x=1; y="2"', "*", "~%20+"]);
  if (random.chance(0.3)) headers["content-type"] = random.pick(["text/plain; charset=utf-8", "image/png"]);
  if (random.chance(0.1)) headers["content-md5"] = createHash("md5").update(value()).digest("base64");
  if (random.chance(0.1)) headers["x-goog-content-sha256"] = createHash("sha256").update(value()).digest("hex");
  if (random.chance(0.2)) headers["x-goog-content-length-range"] = `0,${random.below(1e9)}`;
  if (random.chance(0.1)) headers["x-goog-if-generation-match"] = "0";
  for (const name of META) if (random.chance(0.1)) headers[`x-goog-meta-${name}`] = value();
  return headers;
}

const FIELDS = [
  ...["acl", "Cache-Control", "Content-Type", "Content-Disposition", "success_action_redirect"],
  ...["success_action_status", "x-goog-meta-note", "X-Goog-Meta-Other", "x-goog-custom-time"],
] as const;

/** One form out of the whole space, with the key as it is: the client has no word for the start of one. */
export function randomGcsForm(random: Random): GcsFormWish {
  const fields: Record<string, string> = {};
  for (const name of FIELDS) if (random.chance(0.2)) fields[name] = randomText(random);
  const conditions: WishedCondition[] = [];
  if (random.chance(0.4)) conditions.push(["content-length-range", random.below(10), 10 + random.below(1e9)]);
  if (random.chance(0.2)) conditions.push(["starts-with", "$x-goog-meta-free", randomText(random)]);
  if (random.chance(0.1)) conditions.push({ "x-goog-meta-own": randomText(random) });
  if (random.chance(0.1)) conditions.push(["eq", "$x-goog-meta-eq", randomText(random)]);
  const expiresIn = 1 + random.below(604_800);
  return {
    ...randomPlace(random),
    object: randomKey(random),
    fields,
    conditions,
    expiresIn,
    signedAt: randomInstant(random),
  };
}
