/**
 * Conditional requests, RFC 9110 §13.
 * @module
 */
import { parseHttpDate } from "./date.ts";
import { parseEntityTagList, strongMatch, weakMatch } from "./entity-tag.ts";

/** The four header values, unchanged. */
export interface Conditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly ifModifiedSince?: string | undefined;
  readonly ifUnmodifiedSince?: string | undefined;
}

/** The current state of the object. */
export interface Validators {
  /** Without quotes. */
  readonly etag: string;
  readonly lastModified: Date;
}

export type ConditionOutcome = "ok" | "not-modified" | "precondition-failed";

export interface EvaluateOptions {
  /** `read` is GET and HEAD: there a matching `If-None-Match` is 304; for `write` it is 412. */
  readonly access: "read" | "write";
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Evaluates the conditions in the order of RFC 9110 §13.2.2; S3 documents the same two combinations (`If-Match` beats
 * `If-Unmodified-Since`, `If-None-Match` beats `If-Modified-Since`). Evaluate `If-Range` afterwards: `ifRangeHolds`.
 *
 * A date that is not an HTTP date is ignored (§13.1.3). An invalid tag list fails `If-Match` and passes `If-None-Match`: it neither permits a
 * guarded write nor withholds a body.
 * @param current `undefined` if the object does not exist
 */
export function evaluateConditions(
  conditions: Conditions,
  current: Validators | undefined,
  options: EvaluateOptions,
): ConditionOutcome {
  return evaluateMatch(conditions, current, options) ?? evaluateNoneMatch(conditions, current, options) ?? "ok";
}

/** Steps 1 and 2. */
function evaluateMatch(
  conditions: Conditions,
  current: Validators | undefined,
  options: EvaluateOptions,
): ConditionOutcome | undefined {
  if (conditions.ifMatch !== undefined) {
    return current !== undefined && matches(conditions.ifMatch, current.etag, strongMatch)
      ? undefined
      : "precondition-failed";
  }
  if (conditions.ifUnmodifiedSince === undefined || current === undefined) return undefined;
  const since = parseHttpDate(conditions.ifUnmodifiedSince, options.now);
  return since !== undefined && wholeSeconds(current.lastModified) > since ? "precondition-failed" : undefined;
}

/** Steps 3 and 4. */
function evaluateNoneMatch(
  conditions: Conditions,
  current: Validators | undefined,
  options: EvaluateOptions,
): ConditionOutcome | undefined {
  const failed = options.access === "read" ? "not-modified" : "precondition-failed";
  if (conditions.ifNoneMatch !== undefined) {
    return current !== undefined && matches(conditions.ifNoneMatch, current.etag, weakMatch) ? failed : undefined;
  }
  // §13.1.3: "A recipient MUST ignore the If-Modified-Since header field if … the request method is neither GET nor HEAD."
  if (conditions.ifModifiedSince === undefined || current === undefined || options.access === "write") return undefined;
  const since = parseHttpDate(conditions.ifModifiedSince, options.now);
  return since !== undefined && wholeSeconds(current.lastModified) <= since ? failed : undefined;
}

function matches(header: string, etag: string, compare: typeof strongMatch): boolean {
  if (header.trim() === "*") return true;
  const tags = parseEntityTagList(header);
  return tags !== undefined && compare(tags, etag);
}

/** `Last-Modified` has no fraction, so fractions are ignored. */
function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000) * 1000;
}
