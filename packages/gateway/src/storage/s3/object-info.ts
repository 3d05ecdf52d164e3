import type { IncomingHttpHeaders } from "node:http";
import { type ChecksumAlgorithm, isChecksumAlgorithm } from "../../http/checksum.ts";
import { contentTypeOf } from "../../http/content-type.ts";
import { metadataHeader, metadataOfHeader } from "../../http/metadata.ts";
import { urlEncoded } from "../../http/xml.ts";
import { childrenOf, malformed, type ReadElement, requiredText } from "../../http/xml-reader.ts";
import { type ObjectInfo, type PutOptions, StorageError, type StoredHeaders } from "../contract/storage.ts";

const STORED_HEADERS: Readonly<Record<keyof StoredHeaders, string>> = {
  cacheControl: "cache-control",
  contentDisposition: "content-disposition",
  contentEncoding: "content-encoding",
  contentLanguage: "content-language",
  expires: "expires",
};
const FIELDS = Object.entries(STORED_HEADERS) as readonly (readonly [keyof StoredHeaders, string])[];
const META = "x-amz-meta-";
const CHECKSUM = "x-amz-checksum-";

/** What GET and HEAD tell of an object, without its tags. */
export function infoOfHeaders(headers: IncomingHttpHeaders, size: number): ObjectInfo {
  const metadata: (readonly [string, string])[] = [];
  const checksums: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== "string") continue;
    if (name.startsWith(META)) metadata.push([name.slice(META.length), metadataOfHeader(value)]);
    const algorithm = name.startsWith(CHECKSUM) ? name.slice(CHECKSUM.length) : "";
    // One at most is promised.
    if (isChecksumAlgorithm(algorithm) && Object.keys(checksums).length === 0) checksums[algorithm] = value;
  }
  const stored: { -readonly [name in keyof StoredHeaders]?: string } = {};
  for (const [field, name] of FIELDS) {
    const value = headers[name];
    if (typeof value === "string") stored[field] = value;
  }
  return {
    size,
    etag: unquoted(headers.etag),
    // HTTP has no milliseconds, and listings are cut to match.
    lastModified: dateOf(headers["last-modified"]),
    contentType: headers["content-type"] ?? "binary/octet-stream",
    headers: stored,
    // An assignment would lose one that is called __proto__.
    metadata: Object.fromEntries(metadata),
    checksums,
  };
}

/** The headers that make an object of this description. */
export function headersOfInfo(
  key: string,
  { contentType, headers = {}, metadata = {} }: Pick<PutOptions, "contentType" | "headers" | "metadata">,
): Record<string, string> {
  const sent: Record<string, string> = { "content-type": contentType ?? contentTypeOf(key) };
  for (const [field, name] of FIELDS) {
    const value = headers[field];
    if (value !== undefined) sent[name] = value;
  }
  for (const [name, value] of Object.entries(metadata)) sent[META + name] = metadataHeader(value);
  return sent;
}

/** The header of tags, which is encoded like a query. */
export function taggingHeader(tags: Readonly<Record<string, string>> = {}): Record<string, string> {
  const pairs = Object.entries(tags).map((pair) =>
    pair.map((text) => urlEncoded(text).replaceAll("/", "%2F")).join("="),
  );
  return pairs.length === 0 ? {} : { "x-amz-tagging": pairs.join("&") };
}

export function unquoted(etag: string | undefined): string {
  return (etag ?? "").replace(/^(?:W\/)?"|"$/g, "");
}

/**
 * The ETag of what was just stored. S3 always tells it: without one it is something else that has said yes, such as the page of a proxy.
 *
 * @throws {StorageError} `UNAVAILABLE`
 */
export function storedEtag(header: string | undefined, doing: string): string {
  const etag = unquoted(header);
  if (etag !== "") return etag;
  throw new StorageError("UNAVAILABLE", `could not ${doing}: expected its ETag from the upstream, found none`);
}

export function dateOf(header: string | undefined): Date {
  const time = Date.parse(header ?? "");
  return new Date(Number.isNaN(time) ? 0 : Math.floor(time / 1000) * 1000);
}

/** The number that an element tells: of bytes, or of a part. */
export function numberIn(element: ReadElement, name: string): number {
  const text = requiredText(element, name);
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw malformed(`expected a whole number as ${name} in ${element.name}, found another text`);
}

/** The checksum that an element tells, one at most. */
export function checksumIn(
  element: ReadElement,
): { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined {
  for (const { name } of element.children) {
    const algorithm = /^Checksum([A-Z0-9]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
    const value = childrenOf(element, name)[0]?.text;
    if (isChecksumAlgorithm(algorithm) && value !== undefined && value !== "") return { algorithm, value };
  }
  return undefined;
}
