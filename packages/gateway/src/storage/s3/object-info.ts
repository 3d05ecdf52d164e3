import type { IncomingHttpHeaders } from "node:http";
import { type ChecksumAlgorithm, isChecksumAlgorithm } from "../../http/checksum.ts";
import { contentTypeOf } from "../../http/content-type.ts";
import { metadataHeader, metadataOfHeader } from "../../http/metadata.ts";
import { urlEncoded } from "../../http/xml.ts";
import { childrenOf, malformed, type ReadElement, requiredText } from "../../http/xml-reader.ts";
import type { ObjectInfo, PutOptions, StoredHeaders } from "../contract/storage.ts";
import { unavailable } from "./fault.ts";

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

/** The description of an object in the headers of GET and HEAD, without its tags. */
export function infoOfHeaders(headers: IncomingHttpHeaders, size: number): ObjectInfo {
  const metadata: (readonly [string, string])[] = [];
  const checksums: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== "string") continue;
    if (name.startsWith(META)) metadata.push([name.slice(META.length), metadataOfHeader(value)]);
    const algorithm = name.startsWith(CHECKSUM) ? name.slice(CHECKSUM.length) : "";
    // The contract allows at most one.
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
    // HTTP dates have no milliseconds, so listings drop theirs.
    lastModified: dateOf(headers["last-modified"]),
    contentType: headers["content-type"] ?? "binary/octet-stream",
    headers: stored,
    // An assignment would lose the name __proto__.
    metadata: Object.fromEntries(metadata),
    checksums,
  };
}

/** The headers that store an object with this description. */
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

/** The header for tags, which is encoded like a query. */
export function taggingHeader(tags: Readonly<Record<string, string>> = {}): Record<string, string> {
  const pairs = Object.entries(tags).map((pair) =>
    pair.map((text) => urlEncoded(text).replaceAll("/", "%2F")).join("="),
  );
  return pairs.length === 0 ? {} : { "x-amz-tagging": pairs.join("&") };
}

export function unquoted(etag: string | undefined): string {
  return (etag ?? "").replace(/^(?:W\/)?"|"$/g, "");
}

/** The headers that name the source of a copy, in the upstream's names. */
export function copySource(bucket: string, key: string, etag: string): Readonly<Record<string, string>> {
  return { "x-amz-copy-source": `/${bucket}/${urlEncoded(key)}`, "x-amz-copy-source-if-match": `"${etag}"` };
}

/**
 * The ETag in the answer to an upload. S3 always sends one: without an ETag, something else answered, such as the page of a proxy.
 *
 * @throws {StorageError} `UNAVAILABLE`
 */
export function storedEtag(header: string | undefined, doing: string): string {
  const etag = unquoted(header);
  if (etag !== "") return etag;
  throw unavailable(doing, "the upstream's answer has no ETag. Is it an S3 server?");
}

export function dateOf(header: string | undefined): Date {
  const time = Date.parse(header ?? "");
  return new Date(Number.isNaN(time) ? 0 : Math.floor(time / 1000) * 1000);
}

/** A number of bytes, or the number of a part. */
export function numberIn(element: ReadElement, name: string): number {
  const text = requiredText(element, name);
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw malformed(`${name} in ${element.name} is not a whole number. It must be one`);
}

/** The first checksum in an element. */
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
