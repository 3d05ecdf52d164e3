/** The result of one check. */
export interface Finding {
  /** A stable name for programs. */
  readonly check: Check;
  readonly verdict: Verdict;
  /** One sentence. */
  readonly sentence: string;
  /** The remedy. */
  readonly fix?: string | undefined;
}

export type Check =
  | "credentials"
  | "reach"
  | "clock"
  | "region"
  | "signature"
  | "addressing"
  | "put"
  | "get"
  | "delete"
  | "cors"
  | "preflight";

export type Verdict = "ok" | "warning" | "problem" | "skipped";

export function ok(check: Check, sentence: string): Finding {
  return { check, verdict: "ok", sentence };
}

export function problem(check: Check, sentence: string, fix: string): Finding {
  return { check, verdict: "problem", sentence, fix };
}

export function warning(check: Check, sentence: string, fix: string): Finding {
  return { check, verdict: "warning", sentence, fix };
}

export function skipped(check: Check, sentence: string): Finding {
  return { check, verdict: "skipped", sentence };
}
