import type { Cause, Trap } from "../explanation.ts";

/** What a URL shows to whoever reads it without a key. */
export interface BearerView {
  /** In lower case, without its port. */
  readonly host: string;
  /** As it was sent. */
  readonly path: string;
  /** The first value of a parameter, `""` where it is missing. */
  parameter(name: string): string;
  /** What the first group of a pattern finds in the path and query, `""` where it finds nothing. */
  found(pattern: RegExp): string;
}

/** When something begins and ends, as the URL says. */
export interface BearerTimes {
  readonly signedAt?: Date | undefined;
  readonly startsAt?: Date | undefined;
  readonly endsAt?: Date | undefined;
}

/** A kind of URL that opens something by what stands in it, and for which Daypass has neither signer nor verifier. */
export interface BearerKind {
  readonly scheme: string;
  /** Its own hosts. Missing where others have the form, too, or where it is on hosts of its users. */
  readonly hosts?: RegExp;
  /** What has to stand in path and query. */
  readonly form: RegExp;
  /** What it is, as the beginning of a sentence. */
  readonly what: string;
  readonly signedBy: string;
  /** GET and HEAD where it is missing; `undefined` where nothing tells them. */
  readonly methods?: readonly string[] | ((view: BearerView) => readonly string[] | undefined);
  /** What opens it. No text shows it. */
  readonly secrets: (view: BearerView) => readonly string[];
  readonly times?: (view: BearerView) => BearerTimes;
  /** What ends it before the end that it tells, or where it tells none; behind "It ends". */
  readonly ends: string;
  readonly binds: readonly string[];
  readonly leavesOpen?: readonly string[];
  /** What else to know of it. */
  readonly traps?: readonly (Trap & { readonly has?: (view: BearerView) => boolean })[];
  /** What it shows to be wrong with itself, beside its end. */
  readonly cause?: (view: BearerView) => Cause | undefined;
  /** By what anybody may check it, or why nobody but its maker can. */
  readonly check: string;
}
