import type { PermittedObject } from "../permit.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { matches } from "../storage/contract/preconditions.ts";
import { isStorageError, type ObjectInfo } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";

/** On what a write depends. */
export interface WriteConditions {
  /** Whether nothing may be there. */
  readonly createOnly: boolean;
  /** ETag without quotes, or `*`. */
  readonly ifMatch: string | undefined;
}

/**
 * Refuses a write whose conditions do not hold now. The storage decides at the moment of commit; looking first saves the client
 * from sending a body for nothing.
 *
 * @throws {Refusal} `PRECONDITION_FAILED`, `NO_SUCH_KEY` for a replacement of nothing
 */
export async function expectConditions(
  object: PermittedObject,
  { createOnly, ifMatch }: WriteConditions,
  { storage, signal }: OperationContext,
): Promise<void> {
  if (!createOnly && ifMatch === undefined) return;
  const current = await storage.head(object, { signal });
  if (createOnly && current !== undefined) throw conditionFailed("If-None-Match");
  if (ifMatch !== undefined && !matches(ifMatch, current)) throw unmatched(current);
}

/**
 * Runs a write and says which condition it was that did not hold at its commit: with `If-Match`, an object that is gone by then
 * was deleted meanwhile, and the client has to look again.
 *
 * @throws {Refusal} `PRECONDITION_FAILED`, `CONFLICT`, `NO_SUCH_KEY`
 */
export async function withConditions<T>(
  object: PermittedObject,
  { createOnly, ifMatch }: WriteConditions,
  context: OperationContext,
  write: () => Promise<T>,
): Promise<T> {
  const before = ifMatch === undefined ? undefined : await context.storage.head(object, { signal: context.signal });
  try {
    return await write();
  } catch (error) {
    if (!isStorageError(error) || error.code !== "PRECONDITION_FAILED") throw error;
    if (ifMatch === undefined) throw createOnly ? conditionFailed("If-None-Match") : error;
    const current = await context.storage.head(object, { signal: context.signal });
    if (current !== undefined || before === undefined) throw unmatched(current);
    throw new Refusal("CONFLICT", "expected the object that the condition names, found that it was just deleted", {
      condition: "If-Match",
    });
  }
}

/** The refusal of a condition that does not hold. */
export function conditionFailed(condition: string): Refusal {
  return new Refusal("PRECONDITION_FAILED", "expected the state that the condition names, found another", {
    condition,
  });
}

function unmatched(current: ObjectInfo | undefined): Refusal {
  return current === undefined
    ? new Refusal("NO_SUCH_KEY", "expected an object to replace, found none")
    : conditionFailed("If-Match");
}
