/** One line of the table: a contender in one kind of work, beside ours. */
export interface Row {
  readonly work: string;
  readonly contender: string;
  /** Its own figure, with its unit. */
  readonly figure: string;
  /** Ours divided by it; absent for ours and if nothing was measured. */
  readonly ratio?: number | undefined;
  readonly bar?: Bar | undefined;
}

/** What the ratio is held against. */
export type Bar = { readonly atLeast: number } | { readonly atMost: number };

/** A part of the bench: `sign`, `verify`, `rsa`, `batch`, `serve`, `large`, `listing`, `links`, `claims`, `audit`, `routes`. */
export type Part = () => Promise<readonly Row[]>;

/** A row for a contender that could not run, so that its absence does not look like a choice. */
export function skipped(work: string, contender: string, reason: string): Row {
  return { work, contender, figure: `skipped: ${reason}` };
}

/** Three digits: more than that no run repeats. */
export function rounded(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}
