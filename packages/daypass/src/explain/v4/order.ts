import { besides } from "../cause/combine-causes.ts";
import { isMismatch, isVague, otherCause } from "../cause/server-cause.ts";
import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import type { V4Diagnosis } from "./check.ts";
import { missingCause } from "./diagnosis.ts";
import type { V4Input } from "./variants.ts";

/** All that was found of a V4 URL, each for itself. */
export interface V4Findings {
  readonly subject: Subject;
  /** The signed headers, as they were sent. */
  readonly headers: V4Input["headers"];
  readonly signature: V4Diagnosis;
  /** What the server's code says, but for a mismatch. */
  readonly said: Cause | undefined;
  /** What cannot be read. */
  readonly malformed: Cause | undefined;
  /** What the URL itself shows beside its signature. */
  readonly beside?: Cause | undefined;
  /** Of that, what no server takes, whatever it has said. */
  readonly certain?: Cause | undefined;
  /** That it has ended, or has not begun. */
  readonly late: Cause | undefined;
}

/**
 * The cause, of all that was found: what the server says, then what the grammar says, then what key or canonical request show, then
 * the clock. What the URL itself shows comes before an answer that servers give for everything.
 */
export function firstCause({
  subject,
  headers,
  signature,
  said,
  malformed,
  beside,
  certain,
  late,
}: V4Findings): Cause | undefined {
  const { error } = subject;
  if (said !== undefined && error !== undefined && !isVague(error)) return said;
  if (malformed !== undefined) return malformed;
  const { isProven, cause: shown } = signature;
  const missing = isProven && shown !== undefined ? undefined : missingCause(subject, headers);
  if (missing !== undefined) return missing;
  const other = isProven ? (shown ?? beside) : (beside ?? shown);
  if (error !== undefined && isMismatch(error)) return besides(other, late);
  // A server tells the time first, and a new URL from the same signer would have the other fault again.
  const proven = isProven ? other : undefined;
  return besides(late, proven) ?? proven ?? certain ?? said ?? other ?? (error && otherCause(error));
}
