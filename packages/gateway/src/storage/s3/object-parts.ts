import { childrenOf, optionalText } from "../../http/xml-reader.ts";
import type { ObjectInfo, ObjectPart } from "../contract/storage.ts";
import { unavailable } from "./fault.ts";
import type { Place } from "./names.ts";
import { numberIn } from "./object-info.ts";
import type { Upstream } from "./upstream.ts";

interface Wanted {
  readonly etag: string;
  readonly count: number;
  readonly signal: AbortSignal | undefined;
}

/** "Maximum number of parts per upload: 10,000". */
const MAX_PARTS = 10_000;
/** Concurrent requests. */
const CONCURRENCY = 16;

/**
 * The parts that an object was uploaded in; `undefined` if it was uploaded whole. S3 lists single parts only for objects with a
 * checksum. For other objects each part takes a request.
 */
export async function objectParts(
  upstream: Upstream,
  place: Place & { readonly described: Pick<ObjectInfo, "etag" | "checksums"> },
  signal: AbortSignal | undefined,
): Promise<readonly ObjectPart[] | undefined> {
  const { etag, checksums } = place.described;
  const count = Number(/-(\d{1,5})$/.exec(etag)?.[1] ?? 0);
  if (count === 0) return undefined;
  // Each part may cost a request, and the upstream chooses its ETags.
  if (count > MAX_PARTS)
    throw unavailable(
      "look at the parts",
      `the upstream's ETag names ${count} parts, and at most ${MAX_PARTS} are possible`,
    );
  const wanted: Wanted = { etag, count, signal };
  const [algorithm] = Object.keys(checksums);
  const listed = algorithm === undefined ? [] : await listedParts(upstream, place, { ...wanted, algorithm });
  return listed.length === count ? listed : eachPart(upstream, place, wanted);
}

/** The parts that the upstream lists. Their number differs from the real one if the upstream does not list parts. */
async function listedParts(
  upstream: Upstream,
  { bucket, key }: Place,
  { algorithm, count, signal }: Wanted & { readonly algorithm: string },
): Promise<readonly ObjectPart[]> {
  const parts: ObjectPart[] = [];
  for (let marker: string | undefined = "0"; marker !== undefined && parts.length <= count; ) {
    const headers = {
      "x-amz-object-attributes": "ObjectParts",
      "x-amz-max-parts": "1000",
      "x-amz-part-number-marker": marker,
    };
    const call = { doing: "look at the parts", bucket, key, query: { attributes: "" }, headers, signal };
    const { document } = await upstream.readOrFault(call, "GetObjectAttributesResponse");
    const list = document === undefined ? undefined : childrenOf(document, "ObjectParts")[0];
    if (list === undefined) return [];
    const found = childrenOf(list, "Part");
    // Empty pages could follow each other forever.
    if (found.length === 0) return parts;
    for (const part of found) {
      const checksum = optionalText(part, `Checksum${algorithm.toUpperCase()}`);
      parts.push({ size: numberIn(part, "Size"), ...(checksum === undefined ? {} : { checksum }) });
    }
    const next = optionalText(list, "NextPartNumberMarker");
    marker = optionalText(list, "IsTruncated") === "true" && next !== marker ? next : undefined;
  }
  return parts;
}

async function eachPart(
  upstream: Upstream,
  { bucket, key }: Place,
  { etag, count, signal }: Wanted,
): Promise<readonly ObjectPart[]> {
  const doing = "look at a part";
  const headers = { "if-match": `"${etag}"` };
  const parts: ObjectPart[] = [];
  let next = 0;
  const look = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const query = { partNumber: String(i + 1) };
      const answer = await upstream.send({ doing, method: "HEAD", bucket, key, query, headers, signal });
      const size = Number(answer.headers["content-length"]);
      if (!Number.isSafeInteger(size)) throw unavailable(doing, "the upstream's answer has no Content-Length");
      parts[i] = { size };
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, count) }, look));
  return parts;
}
