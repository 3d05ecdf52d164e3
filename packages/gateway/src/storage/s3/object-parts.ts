import { childrenOf, optionalText } from "../../http/xml-reader.ts";
import { type ObjectInfo, type ObjectPart, StorageError } from "../contract/storage.ts";
import type { Place } from "./names.ts";
import { numberIn } from "./object-info.ts";
import type { Upstream } from "./upstream.ts";

type Described = Pick<ObjectInfo, "etag" | "checksums">;

/** The parts that an object was uploaded in; `undefined` where it was uploaded whole. */
export type ObjectParts = (
  place: Place,
  described: Described,
  signal: AbortSignal | undefined,
) => Promise<readonly ObjectPart[] | undefined>;

interface Wanted {
  readonly etag: string;
  readonly count: number;
  readonly signal: AbortSignal | undefined;
}

/** Requests under way at once. */
const LOOKS = 16;

/** S3 tells single parts only of objects with a checksum; of others each is looked at. */
export function objectParts(upstream: Upstream): ObjectParts {
  /** Fewer or more than there are, where the upstream does not tell them. */
  async function listedParts(
    { bucket, key }: Place,
    algorithm: string,
    { count, signal }: Wanted,
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
      // Pages that bring nothing could go on for ever.
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

  async function eachPart({ bucket, key }: Place, { etag, count, signal }: Wanted): Promise<readonly ObjectPart[]> {
    const parts: ObjectPart[] = [];
    let next = 0;
    const look = async (): Promise<void> => {
      for (let i = next++; i < count; i = next++) {
        const headers = { "if-match": `"${etag}"` };
        const query = { partNumber: String(i + 1) };
        const doing = "look at a part";
        const answer = await upstream.tell({ doing, method: "HEAD", bucket, key, query, headers, signal });
        const size = Number(answer.headers["content-length"]);
        if (!Number.isSafeInteger(size))
          throw new StorageError(
            "UNAVAILABLE",
            `could not ${doing}: expected its length from the upstream, found none`,
          );
        parts[i] = { size };
      }
    };
    await Promise.all(Array.from({ length: Math.min(LOOKS, count) }, look));
    return parts;
  }

  return async (place, { etag, checksums }, signal) => {
    const count = Number(/-(\d{1,5})$/.exec(etag)?.[1] ?? 0);
    if (count === 0) return undefined;
    const wanted: Wanted = { etag, count, signal };
    const [algorithm] = Object.keys(checksums);
    const listed = algorithm === undefined ? [] : await listedParts(place, algorithm, wanted);
    return listed.length === count ? listed : eachPart(place, wanted);
  };
}
