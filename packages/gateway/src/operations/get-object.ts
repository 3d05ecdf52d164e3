import { type Conditions, evaluateConditions } from "../http/conditional.ts";
import { ifRangeHolds, resolveRange } from "../http/range.ts";
import type { PermittedObject } from "../permit.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Body, ByteRange, ObjectInfo, OpenObject } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";
import { noSuchKey } from "./refusals.ts";

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
  /** The number of the part to read, of an object that came in parts; 1 is also the whole of one that did not. */
  readonly part?: number | undefined;
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
  /** Set when a part was asked for by its number. */
  readonly part?: ReadPart | undefined;
}

export interface ReadPart {
  readonly checksum: string | undefined;
  /** Parts of the object; `undefined` when it did not come in parts. */
  readonly count: number | undefined;
}

/**
 * Opens an object and picks the part asked for.
 * @throws {Refusal} `NO_SUCH_KEY`, `PRECONDITION_FAILED`, `RANGE_NOT_SATISFIABLE`, `NO_SUCH_PART_NUMBER`
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export function getObject(request: GetObject, context: OperationContext): ObjectRead | Promise<ObjectRead> {
  const cached = request.part === undefined ? context.storage.getCached?.(request.object) : undefined;
  return cached === undefined ? openAndRead(request, context) : read(request, cached, context.now);
}

async function openAndRead(request: GetObject, context: OperationContext): Promise<ObjectRead> {
  const { part, range, conditions } = request;
  const partial = part !== undefined || range !== undefined || conditions !== undefined;
  const options = { parts: part !== undefined, partial, signal: context.signal };
  return read(request, await context.storage.get(request.object, options), context.now);
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
  return { kind: "object", info, range, body: open.body(range), notModified: false, part: readPart(request, info) };
}

/** What is told of a part that was asked for by its number. */
export function readPart({ part }: Pick<GetObject, "part">, { parts }: ObjectInfo): ReadPart | undefined {
  return part === undefined ? undefined : { checksum: parts?.[part - 1]?.checksum, count: parts?.length };
}

/** What of an object is to be sent. */
export type Part = ByteRange | "whole" | "unchanged";

/** The part that conditions and range choose. Shared by GET and HEAD, so that they cannot differ. */
export function choosePart(
  { conditions, range, part }: Pick<GetObject, "conditions" | "range" | "part">,
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
  if (part !== undefined) return rangeOfPart(part, info);
  if (range === undefined || !ifRangeHolds(range.ifRange, info, now)) return "whole";
  const resolved = resolveRange(range.range, info.size);
  if (resolved !== "unsatisfiable") return resolved ?? "whole";
  throw new Refusal("RANGE_NOT_SATISFIABLE", `expected a range within ${info.size} bytes, found one outside`, {
    range: range.range,
    size: info.size,
  });
}

function rangeOfPart(number: number, { size, parts }: ObjectInfo): Part {
  const count = parts?.length ?? 1;
  if (number > count) {
    throw new Refusal("NO_SUCH_PART_NUMBER", `expected the number of one of ${count} parts, found another`, {
      count,
      part: number,
    });
  }
  if (parts === undefined) return size === 0 ? "whole" : { start: 0, end: size - 1 };
  const start = parts.slice(0, number - 1).reduce((total, part) => total + part.size, 0);
  const length = parts[number - 1]?.size ?? 0;
  if (length > 0) return { start, end: start + length - 1 };
  // No range can be written down that has no byte.
  if (size === 0) return "whole";
  throw new Refusal("RANGE_NOT_SATISFIABLE", "expected a part that has bytes, found an empty one", {
    range: `bytes=${start}-${start}`,
    size,
  });
}
