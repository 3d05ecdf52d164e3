import { childrenOf, malformed, optionalText, type ReadElement, requiredText } from "../../http/xml-reader.ts";
import {
  compareUtf8,
  type ListEntry,
  type ListOptions,
  type ListPage,
  type ListPosition,
} from "../contract/listing.ts";
import { StorageError } from "../contract/storage.ts";
import { lastKeyOf, type Names } from "./names.ts";
import { dateOf, numberIn, unquoted } from "./object-info.ts";
import type { Upstream } from "./upstream.ts";

/** What S3 gives at once. */
export const PAGE = 1000;
/** Pages without an entry that may follow each other. */
const MAX_EMPTY = 100;

export type ListObjects = (bucket: string, options: ListOptions) => Promise<ListPage>;

export function objectLister(upstream: Upstream, names: Names): ListObjects {
  return async (name, { prefix, delimiter, after, limit, signal }) => {
    const bucket = await names.of(name);
    const start = markerOf(after);
    const first: Record<string, string> = start === undefined ? {} : { "start-after": start };
    const entries: ListEntry[] = [];
    let token: string | undefined;
    let truncated = true;
    for (let pages = 0; truncated && entries.length < limit && pages < MAX_EMPTY; pages++) {
      const query: Record<string, string> = {
        "list-type": "2",
        "encoding-type": "url",
        "max-keys": String(Math.min(limit - entries.length, PAGE)),
        prefix,
        ...(delimiter === undefined ? {} : { delimiter }),
        ...(token === undefined ? first : { "continuation-token": token }),
      };
      const { document } = await upstream.read({ doing: "list the bucket", bucket, query, signal }, "ListBucketResult");
      const found = entriesOf(document);
      // Whoever asks may be one who may see nothing else.
      expectBelow(prefix, found.map(textOf));
      const fresh = found.filter((entry) => !isRepeated(entry, after));
      token = optionalText(document, "NextContinuationToken");
      truncated = optionalText(document, "IsTruncated") === "true";
      // A client that is told to go on would get the same page for ever.
      if (truncated && fresh.length > 0 && start !== undefined && fresh.every((entry) => !isBehind(entry, start)))
        throw pagesDoNotEnd();
      entries.push(...fresh);
      if (truncated && token === undefined) break;
    }
    if (truncated && entries.length === 0) throw pagesDoNotEnd();
    return entries.length > limit ? { entries: entries.slice(0, limit), truncated: true } : { entries, truncated };
  };
}

function entriesOf(document: ReadElement): readonly ListEntry[] {
  const decode = decoderOf(document);
  const objects = childrenOf(document, "Contents").map(
    (element): ListEntry => ({
      kind: "object",
      key: decode(requiredText(element, "Key")),
      size: numberIn(element, "Size"),
      etag: unquoted(requiredText(element, "ETag")),
      lastModified: dateOf(requiredText(element, "LastModified")),
    }),
  );
  return [...objects, ...prefixesOf(document)].sort((a, b) => compareUtf8(textOf(a), textOf(b)));
}

/** The key behind which a list goes on. */
export function markerOf(after: ListPosition | undefined): string | undefined {
  if (after === undefined) return undefined;
  return "key" in after ? after.key : lastKeyOf(after.prefix);
}

/** Some begin a page with the key that it is to begin behind (radosgw 18), or with the prefix. */
function isRepeated(entry: ListEntry, after: ListOptions["after"]): boolean {
  if (after === undefined) return false;
  if ("key" in after) return entry.kind === "object" && entry.key === after.key;
  return textOf(entry).startsWith(after.prefix);
}

/** Keys that are rolled up may begin before the place behind which the rest of them stands. */
function isBehind(entry: ListEntry, start: string): boolean {
  const text = textOf(entry);
  return compareUtf8(text, start) > 0 || (entry.kind === "prefix" && start.startsWith(text));
}

function pagesDoNotEnd(): StorageError {
  return new StorageError("UNAVAILABLE", "could not list the bucket: the upstream's pages do not end");
}

/** @throws {StorageError} `UNAVAILABLE` where the upstream tells of others than it was asked for */
export function expectBelow(prefix: string, texts: readonly string[]): void {
  if (texts.every((text) => text.startsWith(prefix))) return;
  throw new StorageError(
    "UNAVAILABLE",
    "could not list the bucket: expected keys with the prefix asked for from the upstream, found another",
  );
}

export function prefixesOf(document: ReadElement): readonly { readonly kind: "prefix"; readonly prefix: string }[] {
  const decode = decoderOf(document);
  return childrenOf(document, "CommonPrefixes").map((element) => ({
    kind: "prefix",
    prefix: decode(requiredText(element, "Prefix")),
  }));
}

/** An upstream that does not know `encoding-type` does not say that it has encoded. */
export function decoderOf(document: ReadElement): (text: string) => string {
  if (optionalText(document, "EncodingType") !== "url") return (text) => text;
  return (text) => {
    try {
      return decodeURIComponent(text.replaceAll("+", " "));
    } catch {
      throw malformed("expected a key that is encoded as in a URL, found another text");
    }
  };
}

function textOf(entry: ListEntry): string {
  return entry.kind === "object" ? entry.key : entry.prefix;
}
