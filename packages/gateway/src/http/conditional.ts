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
  { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince }: Conditions,
  current: Validators | undefined,
  { access, now }: EvaluateOptions,
): ConditionOutcome {
  const isRead = access === "read";
  // Steps 1 and 2.
  const passes =
    ifMatch === undefined
      ? isModifiedSince(ifUnmodifiedSince, current, now) !== true
      : matches(ifMatch, current, strongMatch);
  if (!passes) return "precondition-failed";
  // Steps 3 and 4. §13.1.3: "A recipient MUST ignore the If-Modified-Since header field if … the request method is neither GET nor HEAD."
  const isUnchanged =
    ifNoneMatch === undefined
      ? isRead && isModifiedSince(ifModifiedSince, current, now) === false
      : matches(ifNoneMatch, current, weakMatch);
  if (!isUnchanged) return "ok";
  return isRead ? "not-modified" : "precondition-failed";
}

function matches(header: string, current: Validators | undefined, compare: typeof strongMatch): boolean {
  if (current === undefined) return false;
  if (header.trim() === "*") return true;
  const tags = parseEntityTagList(header);
  return tags !== undefined && compare(tags, current.etag);
}

/** Whether an object has changed after a date; `undefined` without a valid date or an object. */
function isModifiedSince(date: string | undefined, current: Validators | undefined, now: number): boolean | undefined {
  const since = date === undefined ? undefined : parseHttpDate(date, now);
  if (since === undefined || current === undefined) return undefined;
  // `Last-Modified` has no fraction, so fractions are ignored.
  return Math.floor(current.lastModified.getTime() / 1000) * 1000 > since;
}
