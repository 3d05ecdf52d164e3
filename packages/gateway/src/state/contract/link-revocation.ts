/** Who revoked a link decides who may restore it. */
import type { Millis } from "./deliveries.ts";
import type { Link, LinkChange } from "./fields.ts";

/** The caller whose revocations no token can undo. */
export const OPERATOR = "operator";

/** The change that a revocation makes; `undefined` if the link stays as it is. The operator takes over the revocation of a token. */
export function revocationOf(
  { revokedAt, revokedBy = OPERATOR }: Link,
  by: string,
  at: Millis,
): LinkChange | undefined {
  if (revokedAt === undefined) return { revokedAt: at, revokedBy: by };
  return by === OPERATOR && revokedBy !== OPERATOR ? { revokedBy: by } : undefined;
}

/** Whether a caller may restore a revoked link. */
export function mayRestore({ revokedBy = OPERATOR }: Link, by: string): boolean {
  return by === OPERATOR || by === revokedBy;
}
