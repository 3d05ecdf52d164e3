import { childrenOf, malformed, optionalText, type ReadElement, requiredText } from "../../http/xml-reader.ts";
import {
  compareUtf8,
  type ListEntry,
  type ListOptions,
  type ListPage,
  type ListPosition,
} from "../contract/listing.ts";
import type { DriverContext } from "./driver-context.ts";
import { unavailable } from "./fault.ts";
import { lastKeyOf } from "./names.ts";
import { dateOf, numberIn, unquoted } from "./object-info.ts";

/** The largest page of S3. */
export const PAGE = 1000;
/** Maximum number of consecutive pages without an entry. */
const MAX_EMPTY = 100;
const LIST = "list the bucket";

/** A page of keys, from as many pages of the upstream as it takes. */
export async function listObjects(
  { upstream, names }: Pick<DriverContext, "upstream" | "names">,
  name: string,
  { prefix, delimiter, after, limit, signal }: ListOptions,
): Promise<ListPage> {
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
    const { document } = await upstream.read({ doing: LIST, bucket, query, signal }, "ListBucketResult");
    const found = entriesOf(document);
    // The client may be allowed to see only this prefix.
    expectBelow(prefix, found.map(textOf));
    const fresh = found.filter((entry) => !isRepeated(entry, after));
    token = optionalText(document, "NextContinuationToken");
    truncated = optionalText(document, "IsTruncated") === "true";
    // A client that follows the pages would get the same page forever.
    if (truncated && fresh.length > 0 && start !== undefined && fresh.every((entry) => !isBehind(entry, start)))
      throw pagesDoNotEnd();
    entries.push(...fresh);
    if (truncated && token === undefined) break;
  }
  if (truncated && entries.length === 0) throw pagesDoNotEnd();
  return entries.length > limit ? { entries: entries.slice(0, limit), truncated: true } : { entries, truncated };
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

/** The key after which a list continues. */
export function markerOf(after: ListPosition | undefined): string | undefined {
  if (after === undefined) return undefined;
  return "key" in after ? after.key : lastKeyOf(after.prefix);
}

/** Some servers begin a page with the key that it should follow (radosgw 18), or with the prefix. */
function isRepeated(entry: ListEntry, after: ListOptions["after"]): boolean {
  if (after === undefined) return false;
  if ("key" in after) return entry.kind === "object" && entry.key === after.key;
  return textOf(entry).startsWith(after.prefix);
}

/** A rolled-up prefix may begin before the position if some of its keys follow the position. */
function isBehind(entry: ListEntry, start: string): boolean {
  const text = textOf(entry);
  return compareUtf8(text, start) > 0 || (entry.kind === "prefix" && start.startsWith(text));
}

function pagesDoNotEnd(): Error {
  return unavailable(LIST, "the upstream's pages do not end");
}

/** @throws {StorageError} `UNAVAILABLE` if the upstream returns other keys */
export function expectBelow(prefix: string, texts: readonly string[]): void {
  if (texts.every((text) => text.startsWith(prefix))) return;
  throw unavailable(LIST, "the upstream listed a key without the requested prefix");
}

export function prefixesOf(document: ReadElement): readonly { readonly kind: "prefix"; readonly prefix: string }[] {
  const decode = decoderOf(document);
  return childrenOf(document, "CommonPrefixes").map((element) => ({
    kind: "prefix",
    prefix: decode(requiredText(element, "Prefix")),
  }));
}

/** An upstream without `encoding-type` returns no `EncodingType`, and plain keys. */
export function decoderOf(document: ReadElement): (text: string) => string {
  if (optionalText(document, "EncodingType") !== "url") return (text) => text;
  return (text) => {
    try {
      return decodeURIComponent(text.replaceAll("+", " "));
    } catch {
      throw malformed("a key in the list is not percent-encoded as EncodingType says");
    }
  };
}

function textOf(entry: ListEntry): string {
  return entry.kind === "object" ? entry.key : entry.prefix;
}
