/**
 * The table of everything that a Daypass URL can ask for, by method. Its query selects nothing: a file is a path.
 * @module
 */
import type { Obligation, WireRequest } from "daypass";
import type { UrlGrant } from "daypass/url";
import type { DeleteObject } from "../../operations/delete-object.ts";
import type { GetObject, HeadObject, ObjectRead } from "../../operations/get-object.ts";
import type { OperationRequest, ResultOf } from "../../operations/operations.ts";
import type { PutObject } from "../../operations/put-object.ts";
import type { WriteConditions } from "../../operations/write-conditions.ts";
import type { Permit, PermittedObject } from "../../permit.ts";
import type { Limits } from "../../pipeline/limits.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { Received } from "../../pipeline/receive.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { headerStyle, presentRead } from "../object-headers.ts";
import type { Exchange, Task } from "../protocol.ts";
import {
  bytesOfBase64,
  bytesOfHex,
  contentLength,
  expectWhole,
  readConditions,
  readRange,
  readWriteConditions,
  storedHeaders,
} from "../request-fields.ts";

/** A permitted request as a row reads it. */
export interface UrlCall {
  readonly permit: Permit<UrlGrant>;
  readonly received: Received;
  readonly body: AsyncIterable<Uint8Array>;
  readonly limits: Limits;
}

interface Row<R extends OperationRequest = OperationRequest> {
  read(call: UrlCall, object: PermittedObject): R;
  present(result: ResultOf<R>, call: UrlCall, exchange: Exchange): Answer;
}

const get: Row<GetObject> = {
  read: (call, object) => ({ operation: "get-object", object, ...readSelection(call) }),
  present: presentObject,
};

const head: Row<HeadObject> = {
  read: (call, object) => ({ operation: "head-object", object, ...readSelection(call) }),
  present: presentObject,
};

const put: Row<PutObject> = {
  read({ permit: { grant }, received: { request, fields }, body, limits }, object) {
    const length = obligationOf(grant, "body-length");
    const digest = obligationOf(grant, "body-sha256");
    expectWhole(fields);
    const announced = contentLength(fields);
    if (announced !== undefined && length !== undefined && (announced < length.min || announced > length.max)) {
      const message = `the body has ${announced} bytes. Send ${length.min} to ${length.max}`;
      throw new Refusal("BODY_LENGTH", message);
    }
    return {
      operation: "put-object",
      object,
      body,
      contentLength: announced,
      maxBytes: Math.min(limits.body, length?.max ?? limits.body),
      minBytes: length?.min,
      contentType: fields.contentType,
      headers: storedHeaders(request.headers),
      digests: { md5: contentMd5(request.headers), sha256: digest && bytesOfHex(digest.sha256) },
      ...writeConditions(grant, fields),
    };
  },
  present: (info, _, { requestId }) => ({
    status: 200,
    headers: ["ETag", `"${info.etag}"`, "content-length", "0", "x-request-id", requestId],
    body: undefined,
  }),
};

const remove: Row<DeleteObject> = {
  read: ({ permit, received }, object) => ({
    operation: "delete-object",
    object,
    ...writeConditions(permit.grant, received.fields),
  }),
  present: (_, __, { requestId }) => ({ status: 204, headers: ["x-request-id", requestId], body: undefined }),
};

const ROWS: ReadonlyMap<string, Row> = new Map<string, Row>([
  ["GET", get],
  ["HEAD", head],
  ["PUT", put],
  ["DELETE", remove],
]);

/** Reads the task of a permitted Daypass URL. @throws {Refusal} `NO_SUCH_KEY`, `METHOD_NOT_ALLOWED` */
export function urlTask(call: UrlCall): Task {
  const { object } = call.permit;
  const { method } = call.received.request;
  if (object === undefined) throw new Refusal("NO_SUCH_KEY", "the path names a bucket. Name a file in it");
  const row = ROWS.get(method);
  if (row === undefined) {
    throw new Refusal("METHOD_NOT_ALLOWED", `${method} is not supported. Send GET, HEAD, PUT or DELETE`, { method });
  }
  return {
    request: row.read(call, object),
    present: (result, exchange) => row.present(result, call, exchange),
  };
}

function readSelection({ permit, received: { fields } }: UrlCall): Pick<GetObject, "conditions" | "range"> {
  return { conditions: readConditions(fields), range: readRange(fields, permit.grant) };
}

function contentMd5(headers: WireRequest["headers"]): Uint8Array | undefined {
  const declared = headers.find(([name]) => name.toLowerCase() === "content-md5")?.[1];
  return declared === undefined ? undefined : bytesOfBase64("content-md5", declared, 16);
}

function writeConditions(grant: UrlGrant, fields: Received["fields"]): WriteConditions {
  const { createOnly, ifMatch } = readWriteConditions(fields, (header) => {
    const message = `the header ${header} is not implemented in this form. Leave it out`;
    return new Refusal("NOT_IMPLEMENTED", message, { header });
  });
  return { createOnly: createOnly || obligationOf(grant, "create-only") !== undefined, ifMatch };
}

const style = headerStyle(() => []);

function presentObject(result: ObjectRead, { permit }: UrlCall, { request, requestId }: Exchange): Answer {
  const answer = presentRead(result, { permit, style, mayRedirect: () => !isForAddress(request) });
  if (answer.status !== 307) answer.headers.push("x-request-id", requestId);
  return answer;
}

/** Whether the URL is bound to client addresses. The other server would serve everyone who has the URL. */
function isForAddress({ target }: WireRequest): boolean {
  return new URLSearchParams(target.slice(target.indexOf("?") + 1)).has("dp-ip");
}

/** The obligation of one kind in a grant. */
export function obligationOf<K extends Obligation["kind"]>(
  { obligations }: UrlGrant,
  kind: K,
): Extract<Obligation, { kind: K }> | undefined {
  return obligations.find((obligation): obligation is Extract<Obligation, { kind: K }> => obligation.kind === kind);
}
