import { type Conditions, evaluateConditions } from "../http/conditional.ts";
import { ifRangeHolds, resolveRange } from "../http/range.ts";
import type { PermittedObject } from "../pipeline/authorize.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Body, ByteRange, ObjectInfo, OpenObject } from "../storage/storage.ts";
import type { OperationContext } from "./operations.ts";

/** A range that was asked for, with the validator that has to hold for it to count. */
export interface RangeRequest {
  readonly range: string;
  readonly ifRange: string | undefined;
}

export interface GetObject {
  readonly operation: "get-object";
  readonly object: PermittedObject;
  readonly conditions: Conditions | undefined;
  readonly range: RangeRequest | undefined;
}

/** An object that was read, in whole or in part, or that the client has already. */
export interface ObjectRead {
  readonly kind: "object";
  readonly info: ObjectInfo;
  /** Set when `body` is a part. */
  readonly range: ByteRange | undefined;
  /** `undefined` when only the head was asked for, or nothing has changed. */
  readonly body: Body | undefined;
  readonly notModified: boolean;
}

/**
 * Opens an object and picks the part asked for.
 * @throws {Refusal} `NO_SUCH_KEY`, `PRECONDITION_FAILED`, `RANGE_NOT_SATISFIABLE`
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export function getObject(request: GetObject, context: OperationContext): ObjectRead | Promise<ObjectRead> {
  const cached = context.storage.getCached?.(request.object);
  return cached === undefined ? openAndRead(request, context) : read(request, cached, context.now);
}

async function openAndRead(request: GetObject, context: OperationContext): Promise<ObjectRead> {
  return read(request, await context.storage.get(request.object, { signal: context.signal }), context.now);
}

function read(request: GetObject, open: OpenObject | undefined, now: number): ObjectRead {
  if (open === undefined) throw noSuchKey();
  const { info } = open;
  let part: Part;
  try {
    part = choosePart(request, info, now);
  } catch (error) {
    open.close();
    throw error;
  }
  if (part === "unchanged") {
    open.close();
    return { kind: "object", info, range: undefined, body: undefined, notModified: true };
  }
  const range = part === "whole" ? undefined : part;
  return { kind: "object", info, range, body: open.body(range), notModified: false };
}

/** What of an object is to be sent. */
export type Part = ByteRange | "whole" | "unchanged";

/** The part that conditions and range choose. Shared by GET and HEAD, so that they cannot differ. */
export function choosePart(
  { conditions, range }: Pick<GetObject, "conditions" | "range">,
  info: ObjectInfo,
  now: number,
): Part {
  if (conditions !== undefined) {
    const outcome = evaluateConditions(conditions, info, { access: "read", now });
    if (outcome === "not-modified") return "unchanged";
    if (outcome === "precondition-failed") {
      throw new Refusal(
        "PRECONDITION_FAILED",
        "expected the object that the condition names, found another state of it",
        {
          condition: conditions.ifMatch === undefined ? "If-Unmodified-Since" : "If-Match",
        },
      );
    }
  }
  if (range === undefined || !ifRangeHolds(range.ifRange, info, now)) return "whole";
  const resolved = resolveRange(range.range, info.size);
  if (resolved !== "unsatisfiable") return resolved ?? "whole";
  throw new Refusal("RANGE_NOT_SATISFIABLE", `expected a range within ${info.size} bytes, found one outside`, {
    range: range.range,
    size: info.size,
  });
}

/** The refusal that every reading operation gives for an object that is not there. */
export function noSuchKey(): Refusal {
  return new Refusal("NO_SUCH_KEY", "expected an object with this key, found none");
}
