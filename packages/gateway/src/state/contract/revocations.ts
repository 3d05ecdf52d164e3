/** Revocations, and the methods of a state that keep them. */
import type { Millis } from "./deliveries.ts";
import type { Page, PageRequest } from "./page.ts";

/** What a revocation refuses. */
export type RevocationSelector =
  | { readonly kind: "grant"; readonly id: string }
  /** `by`: the token that revoked its own link. Absent: the operator, whose revocation stays in force when the token lifts its own. */
  | { readonly kind: "link"; readonly id: string; readonly by?: string | undefined }
  | { readonly kind: "key"; readonly id: string }
  | { readonly kind: "subject"; readonly id: string }
  /** `bucket` or `bucket/prefix`, by bytes. */
  | { readonly kind: "prefix"; readonly id: string }
  /** Grants that the key signed before this instant. */
  | { readonly kind: "signed-before"; readonly id: string; readonly before: Millis }
  /** Visits of a link that were sealed before this instant: refuses none, but each is read from the state. */
  | { readonly kind: "visits-before"; readonly id: string; readonly before: Millis }
  /** Uses of Daypass URLs that were signed before the revocation was made: the state decides about them, not the list. */
  | { readonly kind: "uses-before"; readonly id: "restore" };

/** The id of the one revocation of `uses-before`. Each restore of the state makes it anew. */
export const LOST_USES = "lost-uses";

/**
 * Whether uses of a URL may have been counted before a restore lost them. `validFrom` is the first instant at which the URL could be used; without it,
 * they may.
 */
export function mayBeLost(validFrom: Millis | undefined, restoredAt: Millis | null | undefined): boolean {
  return typeof restoredAt === "number" && (validFrom === undefined || validFrom < restoredAt);
}

/** A rule that refuses a grant that was valid. */
export interface Revocation {
  /** Numbered in the order in which they were made, also when one is lifted. */
  readonly revision: number;
  readonly id: string;
  readonly selector: RevocationSelector;
  readonly reason?: string | undefined;
  /** When it was made, milliseconds since 1970. */
  readonly createdAt: Millis;
  /** When nothing that it refuses can be valid any longer, milliseconds since 1970. A day later, a sweep removes the row of a grant or of visits. */
  readonly until?: Millis | undefined;
  /** When it was lifted, milliseconds since 1970; absent while it is in force. */
  readonly liftedAt?: Millis | undefined;
}

/** What a list needs of a revocation. */
export type RevocationChange = Pick<Revocation, "revision" | "selector" | "liftedAt">;

/** Changes of revocations that follow each other. */
export interface RevocationPage {
  /** In the order of their revisions, lifted ones among them; empty if none has changed. */
  readonly revocations: readonly RevocationChange[];
  /** The revision of the state: of its last change, whose row may be gone. */
  readonly revision: number;
}

/** The methods that keep revocations. */
export interface RevocationMethods {
  /** Stores a revocation. The same selector again returns the first one, if it is not lifted. */
  revoke(revocation: Pick<Revocation, "id" | "selector" | "reason" | "until">, by: string): Promise<Revocation>;
  /** Allows again what a revocation refused; `undefined` if there is none of this id. */
  lift(id: string, by: string): Promise<Revocation | undefined>;
  /** Revocations, newest first; lifted ones among them. */
  listRevocations(page: PageRequest): Promise<Page<Revocation>>;
  /** At most `limit` revocations with a higher revision. */
  revocationsAfter(revision: number, limit: number): Promise<RevocationPage>;
}
