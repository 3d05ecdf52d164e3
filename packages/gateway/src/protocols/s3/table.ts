/**
 * The table of everything that S3 clients can ask for, and the choice of a row.
 * @module
 */
import type { S3Grant } from "daypass/s3";
import type { OperationRequest } from "../../operations/operations.ts";
import type { Permit } from "../../permit.ts";
import { permitAction, permitBucket } from "../../pipeline/authorize.ts";
import type { Received } from "../../pipeline/receive.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Exchange, Task } from "../protocol.ts";
import { beginXmlAnswer } from "./answers.ts";
import { notImplemented } from "./arguments.ts";
import { isPostGrant, readCall } from "./read-call.ts";
import type { S3Call, S3Row, S3RowOptions } from "./row.ts";
import { bucketCorsRows } from "./rows/bucket-cors.ts";
import { bucketDefaultRows } from "./rows/bucket-defaults.ts";
import { bucketRows } from "./rows/buckets.ts";
import { copyRows } from "./rows/copies.ts";
import { deleteObjectsRow } from "./rows/delete-objects.ts";
import { fieldsAsHeaders, postObjectRow } from "./rows/form-upload.ts";
import { listingRows } from "./rows/listings.ts";
import { objectFactRows } from "./rows/object-facts.ts";
import { objectRows } from "./rows/objects.ts";
import { uploadRows } from "./rows/uploads.ts";

/** If the selectors of two rows match a request, the first row applies. */
export const s3Rows: readonly S3Row[] = [
  ...objectFactRows,
  ...copyRows,
  ...uploadRows,
  ...objectRows,
  ...bucketCorsRows,
  ...bucketDefaultRows,
  ...listingRows,
  deleteObjectsRow,
  ...bucketRows,
];

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "DELETE"]);

/** The rows of one method on one kind of target. */
interface Choice {
  /** The row that the method alone selects. */
  plain: S3Row | undefined;
  /** Rows that a parameter or a header selects. */
  readonly selected: S3Row[];
}

const CHOICES = new Map<string, Choice>();
for (const row of s3Rows) {
  const name = `${row.method} ${row.on === "keys" ? "bucket" : row.on}`;
  const choice: Choice = CHOICES.get(name) ?? { plain: undefined, selected: [] };
  CHOICES.set(name, choice);
  if (row.selectors === undefined && row.header === undefined) choice.plain = row;
  else choice.selected.push(row);
}

export interface TaskOptions extends S3RowOptions {
  /** Origins that a form may redirect the browser to. */
  readonly redirectOrigins: readonly string[];
}

/** Reads the task of a permitted request. A request that matches no row is refused as `NOT_IMPLEMENTED`. */
export function s3Task(
  permit: Permit<S3Grant>,
  received: Received,
  { body, options }: { readonly body: AsyncIterable<Uint8Array>; readonly options: TaskOptions },
): Task | Promise<Task> {
  if (isPostGrant(permit.grant)) {
    const headers = fieldsAsHeaders(permit.grant, options.redirectOrigins);
    const request = { ...received.request, headers };
    return taskOf(postObjectRow, { permit, received: { ...received, request }, body }, options);
  }
  return taskOf(chooseRow(permit, received), { permit, received, body }, options);
}

function taskOf(
  row: S3Row,
  asked: { readonly permit: Permit<S3Grant>; readonly received: Received; readonly body: AsyncIterable<Uint8Array> },
  options: S3RowOptions,
): Task | Promise<Task> {
  const call = readCall(row, { ...asked, permit: permitAction(asked.permit, row.action) }, options);
  const request = read(row, call);
  const task = (asked: OperationRequest): Task => ({
    request: asked,
    present: (result, { requestId }) => row.present(result, { call, asked, requestId }),
    begin: row.mayTakeLong === true ? ({ requestId }: Exchange) => beginXmlAnswer(requestId) : undefined,
  });
  return request instanceof Promise ? request.then(task) : task(request);
}

function read(row: S3Row, call: S3Call): OperationRequest | Promise<OperationRequest> {
  if (row.on === "bucket") return row.read(call, permitBucket(call.permit));
  if (row.on !== "object") return row.read(call, undefined);
  const { object } = call.permit;
  if (object === undefined) throw new TypeError("a row on an object was chosen for a request without one");
  return row.read(call, object);
}

function chooseRow({ grant, bucket, object }: Permit<S3Grant>, { request }: Received): S3Row {
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
  throw new Refusal("METHOD_NOT_ALLOWED", `${method} is not supported. Send GET, HEAD, PUT, POST or DELETE`, {
    method,
  });
}

/** SDKs move `x-amz-*` headers into the query of a presigned URL, and S3 reads them there. */
function isNamed(header: string, request: Received["request"], { parameters }: S3Grant): boolean {
  return (
    request.headers.some(([name]) => name.toLowerCase() === header) ||
    parameters.some(([name]) => name.toLowerCase() === header)
  );
}
