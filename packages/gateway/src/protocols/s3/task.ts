import type { S3Grant } from "daypass/s3";
import type { OperationRequest } from "../../operations/operations.ts";
import type { Permit } from "../../permit.ts";
import { permitAction, permitBucket } from "../../pipeline/authorize.ts";
import type { Received } from "../../pipeline/receive.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Exchange, Task } from "../protocol.ts";
import { notImplemented, readAmz } from "./amz.ts";
import { isPostGrant } from "./form.ts";
import { expectNoBody } from "./no-body.ts";
import type { S3Call, S3Operation } from "./operation.ts";
import { fieldsAsHeaders, postObjectOperation } from "./operations/post-object.ts";
import { s3Operations } from "./operations.ts";
import { openPayload } from "./payload.ts";
import { expectNoConditions } from "./write-fields.ts";
import { beginXmlAnswer } from "./xml.ts";

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "DELETE"]);

/** Rows that a request can be for, by what it tells first. */
interface Choice {
  /** What the method alone asks for. */
  plain: S3Operation | undefined;
  /** What is asked for by a parameter or a header besides. */
  readonly selected: S3Operation[];
}

const CHOICES = new Map<string, Choice>();
for (const operation of s3Operations) {
  const name = `${operation.method} ${operation.on === "keys" ? "bucket" : operation.on}`;
  const choice: Choice = CHOICES.get(name) ?? { plain: undefined, selected: [] };
  CHOICES.set(name, choice);
  if (operation.selectors === undefined && operation.header === undefined) choice.plain = operation;
  else choice.selected.push(operation);
}

export interface TaskOptions extends Pick<S3Call, "limits" | "createHash" | "origins" | "region"> {
  /** Where a form may send the browser to. */
  readonly redirectOrigins: readonly string[];
}

/**
 * Finds the operation that a permitted request asks for and reads it. What is in no row is refused as `NOT_IMPLEMENTED`, in
 * whatever way it is asked for: by method, parameter, header or by what it names.
 */
export function s3Task(
  permit: Permit<S3Grant>,
  received: Received,
  { body, options }: { readonly body: AsyncIterable<Uint8Array>; readonly options: TaskOptions },
): Task<S3Grant> | Promise<Task<S3Grant>> {
  if (isPostGrant(permit.grant)) {
    const headers = fieldsAsHeaders(permit.grant, options.redirectOrigins);
    const request = { ...received.request, headers };
    return taskOf(postObjectOperation, permit, { ...received, request }, { body, options });
  }
  return taskOf(chooseOperation(permit, received), permit, received, { body, options });
}

function taskOf(
  operation: S3Operation,
  granted: Permit<S3Grant>,
  received: Received,
  { body, options }: { readonly body: AsyncIterable<Uint8Array>; readonly options: TaskOptions },
): Task<S3Grant> | Promise<Task<S3Grant>> {
  const permit = permitAction(granted, operation.action);
  const { present, mayTakeLong = false } = operation;
  const begin = mayTakeLong ? ({ requestId }: Exchange) => beginXmlAnswer(requestId) : undefined;
  const { limits, createHash, origins, region } = options;
  const payload = openPayload(permit.grant, received, body);
  const { metadata, checksums, amz, parameters } = readAmz(received.request, permit.grant, {
    operation,
    payload,
    limits,
  });
  if (!operation.readsBody) expectNoBody(permit.grant);
  expectNoConditions(operation, received);
  // Written out: to spread three objects costs as much as all the rest of a small request's reading.
  const call: S3Call = {
    permit,
    received,
    payload,
    limits,
    createHash,
    origins,
    region,
    metadata,
    checksums,
    amz,
    parameters,
  };
  const request = read(operation, call);
  return request instanceof Promise
    ? request.then((read) => ({ request: read, present, begin }))
    : { request, present, begin };
}

function read(operation: S3Operation, call: S3Call): OperationRequest | Promise<OperationRequest> {
  const { permit } = call;
  const { object } = permit;
  if (operation.on === "bucket") return operation.read(call, permitBucket(permit));
  if (operation.on !== "object") return operation.read(call);
  if (object === undefined) throw new TypeError("an operation on an object was chosen for a request without one");
  return operation.read(call, object);
}

function chooseOperation({ grant, bucket, object }: Permit<S3Grant>, { request }: Received): S3Operation {
  const { method } = request;
  const on = object !== undefined ? "object" : bucket === "" ? "service" : "bucket";
  const choice = CHOICES.get(`${method} ${on}`);
  const found =
    choice?.selected.find(
      ({ selectors = [], header }) =>
        selectors.every((selector) => grant.parameters.some(([name]) => name === selector)) &&
        (header === undefined || isNamed(header, request, grant)),
    ) ?? choice?.plain;
  if (found !== undefined) return found;
  if (METHODS.has(method)) throw notImplemented("method", on === "object" ? method : `${method} on a ${on}`);
  throw new Refusal("METHOD_NOT_ALLOWED", "expected GET, HEAD, PUT, POST or DELETE, found another method", { method });
}

/** In a presigned URL SDKs move `x-amz-*` headers into the query, and S3 reads them there. */
function isNamed(header: string, request: Received["request"], { parameters }: S3Grant): boolean {
  return (
    request.headers.some(([name]) => name.toLowerCase() === header) ||
    parameters.some(([name]) => name.toLowerCase() === header)
  );
}
