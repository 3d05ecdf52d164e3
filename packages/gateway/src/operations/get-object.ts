import { type Conditions, evaluateConditions } from "../http/conditional.ts";
import { excerpt } from "../http/excerpt.ts";
import { ifRangeHolds, resolveRange } from "../http/range.ts";
import type { PermittedObject } from "../permit.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Body, ByteRange, ObjectInfo, OpenObject } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";
import { conditionFailed, noSuchKey } from "./refusals.ts";

/** The requested range, and the validator that must match for the range to apply. */
export interface RangeRequest {
  readonly range: string;
  readonly ifRange: string | undefined;
}

/** What a request wants of an object. */
export interface Selection {
  readonly conditions: Conditions | undefined;
  readonly range: RangeRequest | undefined;
  /** The number of a part. Part 1 of an object that was uploaded whole is the whole object. */
  readonly part?: number | undefined;
  /** Throws if the object may not be read. Called before conditions and range, because their refusals describe the object. */
  readonly check?: ((info: ObjectInfo) => void) | undefined;
}

export interface GetObject extends Selection {
  readonly operation: "get-object";
  readonly object: PermittedObject;
}

export interface HeadObject extends Selection {
  readonly operation: "head-object";
  readonly object: PermittedObject;
}

/** An object that was read in whole or in part, or whose copy at the client is current. */
export interface ObjectRead {
  readonly info: ObjectInfo;
  /** Set if `body` is a range. */
  readonly range: ByteRange | undefined;
  /** `undefined` for HEAD and for an unmodified object. */
  readonly body: Body | undefined;
  readonly notModified: boolean;
  /** Set if the request named a part by its number. */
  readonly part?: ReadPart | undefined;
}

export interface ReadPart {
  readonly checksum: string | undefined;
  /** The number of parts of the object; `undefined` if the object was uploaded whole. */
  readonly count: number | undefined;
}

/**
 * Opens an object and selects the requested bytes.
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
  let found: ObjectRead;
  try {
    found = select(request, open.info, now);
  } catch (error) {
    open.close();
    throw error;
  }
  const { info, range, notModified, part } = found;
  if (!notModified) return { info, range, body: open.body(range), notModified, part };
  open.close();
  return found;
}

/**
 * Returns the same answer as GET, without the bytes.
 * @throws {Refusal} `NO_SUCH_KEY`, `PRECONDITION_FAILED`, `RANGE_NOT_SATISFIABLE`, `NO_SUCH_PART_NUMBER`
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export async function headObject(request: HeadObject, context: OperationContext): Promise<ObjectRead> {
  return select(request, await describe(request.object, request.part !== undefined, context), context.now);
}

export interface DescribeObject {
  readonly operation: "describe-object";
  readonly object: PermittedObject;
  /** Whether the parts of the object are needed. */
  readonly parts: boolean;
}

/**
 * Returns what is known about an object.
 * @throws {Refusal} `NO_SUCH_KEY`
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export async function describeObject(
  { object, parts }: DescribeObject,
  context: OperationContext,
): Promise<ObjectInfo> {
  return describe(object, parts, context);
}

async function describe(
  object: PermittedObject,
  parts: boolean,
  { storage, signal }: OperationContext,
): Promise<ObjectInfo> {
  const info = await storage.head(object, { parts, signal });
  if (info === undefined) throw noSuchKey();
  return info;
}

/** Applies conditions, part number and range. GET and HEAD share it, so their answers cannot differ. */
function select(selection: Selection, info: ObjectInfo, now: number): ObjectRead {
  const { conditions, part } = selection;
  selection.check?.(info);
  const outcome = conditions === undefined ? "ok" : evaluateConditions(conditions, info, { access: "read", now });
  if (outcome === "not-modified") return { info, range: undefined, body: undefined, notModified: true };
  if (outcome === "precondition-failed") {
    throw conditionFailed(conditions?.ifMatch === undefined ? "If-Unmodified-Since" : "If-Match");
  }
  const range = part === undefined ? rangeOf(selection.range, info, now) : rangeOfPart(part, info);
  return { info, range, body: undefined, notModified: false, part: describePart(part, info) };
}

function describePart(part: number | undefined, { parts }: ObjectInfo): ReadPart | undefined {
  return part === undefined ? undefined : { checksum: parts?.[part - 1]?.checksum, count: parts?.length };
}

/** `undefined` for the whole object. */
function rangeOf(range: RangeRequest | undefined, info: ObjectInfo, now: number): ByteRange | undefined {
  if (range === undefined || !ifRangeHolds(range.ifRange, info, now)) return undefined;
  const resolved = resolveRange(range.range, info.size);
  if (resolved !== "unsatisfiable") return resolved;
  const message = `the range ${excerpt(range.range)} lies outside the object, which has ${info.size} bytes. Ask for bytes within it`;
  throw new Refusal("RANGE_NOT_SATISFIABLE", message, { range: range.range, size: info.size });
}

function rangeOfPart(number: number, { size, parts }: ObjectInfo): ByteRange | undefined {
  const count = parts?.length ?? 1;
  if (number > count) {
    throw new Refusal("NO_SUCH_PART_NUMBER", `the object has no part ${number}. Ask for one of its ${count}`, {
      count,
      part: number,
    });
  }
  if (parts === undefined) return size === 0 ? undefined : { start: 0, end: size - 1 };
  const start = parts.slice(0, number - 1).reduce((total, part) => total + part.size, 0);
  const length = parts[number - 1]?.size ?? 0;
  if (length > 0) return { start, end: start + length - 1 };
  // A range cannot express zero bytes.
  if (size === 0) return undefined;
  throw new Refusal("RANGE_NOT_SATISFIABLE", `part ${number} is empty, and a range cannot be. Read another part`, {
    range: `bytes=${start}-${start}`,
    size,
  });
}
