/**
 * `Range` and `If-Range`, RFC 9110 §13.1.5 and §14.
 * @module
 */
import { parseHttpDate } from "./date.ts";
import { parseEntityTag } from "./entity-tag.ts";

/** Both ends are inclusive. */
export interface ResolvedRange {
  readonly start: number;
  readonly end: number;
}

// ranges-specifier = range-unit "=" range-set, with exactly one range-spec. RFC 9110 §14.1: "Range unit names are
// case-insensitive". A number past 2^53 loses digits, but no object is that long.
const SINGLE_RANGE = /^bytes=[ \t]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*$/i;

/**
 * Resolves a `Range` header against an object of `size` bytes.
 * - `undefined`: answer the whole object (no range, another unit, several ranges, or invalid syntax: RFC 9110 §14.2 "A
 *   server … MAY ignore the Range header field", and "MUST ignore" one whose unit it does not understand);
 * - `"unsatisfiable"`: answer 416 with `unsatisfiedContentRange(size)`;
 * - otherwise the one range asked for, cut at the end of the object.
 *
 * @example
 * resolveRange("bytes=-500", 10_000); // { start: 9500, end: 9999 }
 */
export function resolveRange(header: string | undefined, size: number): ResolvedRange | "unsatisfiable" | undefined {
  if (header === undefined) return undefined;
  const match = SINGLE_RANGE.exec(header);
  if (match === null) return undefined;
  const [, first, last, suffix] = match;
  if (first === undefined) {
    // "a suffix-range is satisfiable if suffix-length is non-zero"; Content-Range cannot express a range of an empty object.
    const length = Math.min(Number(suffix), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === undefined || last === "" ? Number.POSITIVE_INFINITY : Number(last);
  // "An int-range is invalid if the last-pos value is present and less than first-pos. A recipient of … invalid … MUST ignore it."
  if (end < start) return undefined;
  return start >= size ? "unsatisfiable" : { start, end: Math.min(end, size - 1) };
}

/** `Content-Range` of a 206. */
export function contentRange(range: ResolvedRange, size: number): string {
  return `bytes ${range.start}-${range.end}/${size}`;
}

/** `Content-Range` of a 416. */
export function unsatisfiedContentRange(size: number): string {
  return `bytes */${size}`;
}

/** The validators that `If-Range` is compared with. */
export interface RangeValidators {
  /** Without quotes. */
  readonly etag: string;
  readonly lastModified: Date;
}

/**
 * Whether a `Range` may be applied under this `If-Range` header (true without one). An ETag must match strongly; a date must
 * be the very `Last-Modified` and a strong validator: RFC 9110 §8.8.2.2, at least a second older than the response.
 * @param now milliseconds since the epoch
 */
export function ifRangeHolds(header: string | undefined, current: RangeValidators, now: number): boolean {
  if (header === undefined) return true;
  const tag = parseEntityTag(header);
  if (tag !== undefined) return !tag.weak && tag.opaque === current.etag;
  const modified = Math.floor(current.lastModified.getTime() / 1000) * 1000;
  return parseHttpDate(header, now) === modified && now - modified >= 1000;
}
