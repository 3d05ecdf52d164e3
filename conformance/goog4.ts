import { createHash, createHmac, createSign } from "node:crypto";
import type { GcsPlace, GcsWish } from "./random/gcs-wishes.ts";
import { amzDate, canonicalQuery, encodeBytes } from "./sigv4.ts";

// The second opinion on Cloud Storage: V4 and V2 written from Google's pages and from nothing of ours. It judges where
// the official client and Daypass differ, and says what either has signed.

/** How a client departs from the pages. */
export interface Quirks {
  readonly headerValue?: (value: string) => string;
  readonly compareHeaders?: (a: string, b: string) => number;
  readonly resource?: string;
}

export type GoogKey =
  | { readonly client_email: string; readonly private_key: string }
  | { readonly accessKeyId: string; readonly secretAccessKey: string };

const idOf = (key: GoogKey): string => ("accessKeyId" in key ? key.accessKeyId : key.client_email);

const RULE: Required<Omit<Quirks, "resource">> = {
  // V2's page: "Replace any folding whitespace or newlines (CRLF or LF) with a single space."
  headerValue: (value) => value.trim().replace(/\s+/g, " "),
  compareHeaders: (a, b) => (a < b ? -1 : 1),
};

/** The whole URL of V4, its parameters in ascending order and the signature at the end. */
export function goog4(wish: GcsWish, key: GoogKey, quirks: Quirks = {}): string {
  const { headerValue, compareHeaders } = { ...RULE, ...quirks };
  const algorithm = "accessKeyId" in key ? "GOOG4-HMAC-SHA256" : "GOOG4-RSA-SHA256";
  const time = amzDate(wish.signedAt);
  const scope = `${time.slice(0, 8)}/auto/storage/goog4_request`;
  // "Host without its port."
  const headers: Readonly<Record<string, string>> = { host: new URL(origin(wish)).hostname, ...wish.headers };
  const names = Object.keys(headers).sort();
  const query = canonicalQuery([
    ["X-Goog-Algorithm", algorithm],
    ["X-Goog-Credential", `${idOf(key)}/${scope}`],
    ["X-Goog-Date", time],
    ["X-Goog-Expires", String(wish.expiresIn)],
    ["X-Goog-SignedHeaders", names.join(";")],
    ...parameters(wish),
  ]);
  const lines = [...names].sort(compareHeaders).map((name) => `${name}:${headerValue(headers[name] ?? "")}\n`);
  const payload = headers["x-goog-content-sha256"] ?? "UNSIGNED-PAYLOAD";
  const canonical = [wish.method, path(wish), query, lines.join(""), names.join(";"), payload].join("\n");
  const hash = createHash("sha256").update(canonical).digest("hex");
  const signature = sign4([algorithm, time, scope, hash].join("\n"), scope, key).toString("hex");
  return `${origin(wish)}${path(wish)}?${query}&X-Goog-Signature=${signature}`;
}

export function goog2Signature(wish: GcsWish, key: GoogKey, quirks: Quirks = {}): string {
  const { headerValue, compareHeaders, resource } = { ...RULE, ...quirks };
  const { "content-md5": md5 = "", "content-type": type = "", ...extensions } = wish.headers;
  const lines = Object.keys(extensions)
    .sort(compareHeaders)
    .map((name) => `${name}:${headerValue(extensions[name] ?? "")}\n`);
  const named = wish.addressing === "path" ? path(wish) : `/${wish.bucket}${path(wish)}`;
  const end = wish.signedAt.getTime() / 1000 + wish.expiresIn;
  const text = [wish.method, md5, type, end, lines.join("") + (resource ?? named)].join("\n");
  if (!("accessKeyId" in key)) return signRsa(text, key.private_key).toString("base64");
  return createHmac("sha1", key.secretAccessKey).update(text).digest("base64");
}

/** The requested parameters, without the signature's own. */
function parameters({ query, response }: GcsWish): readonly (readonly [string, string])[] {
  const { contentDisposition, contentType } = response;
  const overrides = {
    "response-content-type": contentType,
    "response-content-disposition": contentDisposition,
  };
  return [...Object.entries(query), ...Object.entries(overrides)].flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
}

export function path({ addressing, bucket, object }: Pick<GcsWish, "addressing" | "bucket" | "object">): string {
  const start = addressing === "path" ? `/${bucket}` : "";
  return object === undefined ? start || "/" : `${start}/${encodeBytes(object, "/")}`;
}

/** `scheme://host[:port]` */
export function origin({
  addressing,
  bucket,
  endpoint,
  universeDomain = "googleapis.com",
}: GcsPlace & { bucket: string }): string {
  return endpoint ?? `https://${addressing === "virtual" ? `${bucket}.` : ""}storage.${universeDomain}`;
}

function sign4(text: string, scope: string, key: GoogKey): Buffer {
  if (!("accessKeyId" in key)) return signRsa(text, key.private_key);
  // "The key derivation": GOOG4 and the secret, then each part of the scope.
  let derived: Buffer = Buffer.from(`GOOG4${key.secretAccessKey}`);
  for (const part of scope.split("/")) derived = hmac(derived, part);
  return hmac(derived, text);
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function signRsa(text: string, key: string): Buffer {
  return createSign("sha256").update(text).sign(key);
}
