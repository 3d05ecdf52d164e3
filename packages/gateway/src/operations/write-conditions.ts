import type { PermittedObject } from "../permit.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { matches } from "../storage/contract/preconditions.ts";
import { isStorageError, type ObjectInfo } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";
import { conditionFailed } from "./refusals.ts";

export interface WriteConditions {
  /** Whether the object must not exist. */
  readonly createOnly: boolean;
  /** ETag without quotes, or `*`. */
  readonly ifMatch: string | undefined;
}

/**
 * Refuses a write whose conditions do not hold now. The storage decides at the moment of commit; an early look saves the client
 * from sending the body in vain.
 *
 * @throws {Refusal} `PRECONDITION_FAILED`; `NO_SUCH_KEY` if the object to replace does not exist
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
 * Runs a write and names the condition that failed at its commit. With `If-Match`, an object that disappeared during the write is a
 * conflict: the client has to look again.
 *
 * @throws {Refusal} `PRECONDITION_FAILED`, `CONFLICT`, `NO_SUCH_KEY`
 */
export async function withConditions<T>(
  object: PermittedObject,
  { createOnly, ifMatch }: WriteConditions,
  { storage, signal }: OperationContext,
  write: () => Promise<T>,
): Promise<T> {
  const before = ifMatch === undefined ? undefined : await storage.head(object, { signal });
  try {
    return await write();
  } catch (error) {
    if (!isStorageError(error) || error.code !== "PRECONDITION_FAILED") throw error;
    if (ifMatch === undefined) throw createOnly ? conditionFailed("If-None-Match") : error;
    const current = await storage.head(object, { signal });
    if (current !== undefined || before === undefined) throw unmatched(current);
    const message = "the object that If-Match names was just deleted. Look at it again before you write";
    throw new Refusal("CONFLICT", message, { condition: "If-Match" });
  }
}

function unmatched(current: ObjectInfo | undefined): Refusal {
  return current === undefined
    ? new Refusal("NO_SUCH_KEY", "If-Match names an object, and there is none. Leave If-Match out to create it")
    : conditionFailed("If-Match");
}
