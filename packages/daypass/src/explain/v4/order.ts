import { combineCauses } from "../cause/combine-causes.ts";
import { missingHeader } from "../cause/request.ts";
import { isMismatch, isVague, otherCause } from "../cause/server-cause.ts";
import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { isSentAnyway } from "../search/unknowns.ts";
import type { V4Diagnosis } from "./check.ts";
import type { V4Input } from "./variants.ts";

/** The independent findings about a V4 URL. */
export interface V4Findings {
  readonly subject: Subject;
  /** The signed headers, as they were sent. */
  readonly headers: V4Input["headers"];
  readonly signature: V4Diagnosis;
  /** The meaning of the server's code, except a mismatch. */
  readonly said: Cause | undefined;
  /** A fault of the grammar. */
  readonly malformed: Cause | undefined;
  /** A fault of the URL other than its signature. */
  readonly beside?: Cause | undefined;
  /** The same, if every server refuses it. */
  readonly certain?: Cause | undefined;
  /** The URL has expired or has not started. */
  readonly late: Cause | undefined;
}

/** Chooses the cause: the server's answer, the grammar, key or canonical request, the clock. The URL's own faults come before a vague answer. */
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
  // Clients send Content-Length with every body, so a list of headers need not contain it.
  const names = headers.map(({ name }) => name).filter((name) => !isSentAnyway(name));
  const missing = isProven && shown !== undefined ? undefined : missingHeader(subject, names);
  if (missing !== undefined) return missing;
  const other = isProven ? (shown ?? beside) : (beside ?? shown);
  if (error !== undefined && isMismatch(error)) return combineCauses(other, late);
  // Servers check the time first. A new URL from the same signer would have the other fault, too.
  const proven = isProven ? other : undefined;
  return combineCauses(late, proven) ?? proven ?? certain ?? said ?? other ?? (error && otherCause(error));
}
