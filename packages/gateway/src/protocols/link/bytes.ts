import { contentDisposition } from "../../http/content-disposition.ts";
import { isPinned, kindOfLink } from "../../links/link-kinds.ts";
import { type LinkOpener, LinkRefused } from "../../links/open-link.ts";
import type { DeliverLink, ObjectDelivered } from "../../operations/deliver-link.ts";
import type { GetObject, HeadObject, ObjectRead } from "../../operations/get-object.ts";
import { isViewable } from "../../pages/link-page.ts";
import type { PermittedObject } from "../../permit.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { Received } from "../../pipeline/receive.ts";
import { networkOf } from "../../pipeline/unverified-body-limit.ts";
import type { AuditAction } from "../../state/contract/events.ts";
import type { ObjectInfo } from "../../storage/contract/storage.ts";
import { headerStyle, presentRead } from "../object-headers.ts";
import type { Task } from "../protocol.ts";
import { readConditions } from "../request-fields.ts";
import type { Asked } from "./asked.ts";
import { type BytesHeaders, handedRange, handOver } from "./hand-over.ts";
import { countedWhenSent } from "./link-use.ts";

/** Records a use of the link that no claim decides. */
export function note(
  { grant, request, options }: Asked,
  entry: Omit<Parameters<LinkOpener["note"]>[1], "address">,
): void {
  const { link, variant } = grant;
  const address = networkOf(request.remoteAddress ?? "");
  options.opener.note(link.id, { recipient: variant.name, address, ...entry });
}

/** The bytes of a link that counts nothing. */
export function read(asked: Asked, object: PermittedObject): Task<GetObject> | Task<HeadObject> {
  const { request } = asked;
  const wanted = selectionOf(asked, object);
  if (request.method === "HEAD") {
    return { request: { operation: "head-object", ...wanted }, present: (result) => bytesAnswer(asked, result) };
  }
  const target = `${object.bucket}/${object.key}`;
  return {
    request: { operation: "get-object", ...wanted },
    present: (result) => {
      const handed = handedOver(asked, result);
      const answer = handed ?? bytesAnswer(asked, result);
      if (isShown(asked, result.info)) return answer;
      const onDelivered = (bytes: number) => note(asked, { action: "link.read", result: "ok", target, bytes });
      return handed === undefined ? download(asked, { ...answer, onDelivered }) : { ...answer, onDelivered };
    },
  };
}

/** The bytes of a link that counts: what a claim or a started delivery may have. */
export function deliver(
  asked: Asked,
  object: PermittedObject,
  by: DeliverLink["by"],
): Task<DeliverLink> | Task<HeadObject> {
  const { grant, request, options } = asked;
  const { link, variant } = grant;
  const isVisit = kindOfLink(link).opensMany;
  const handsOver = link.handOver === true && options.handOver ? handedRange(options.handOver, request) : undefined;
  const wanted = selectionOf(asked, object, "delivery.started");
  if (request.method === "HEAD") {
    return {
      request: { operation: "head-object", ...wanted },
      present: (result: ObjectRead) => bytesAnswer(asked, result),
    };
  }
  return {
    request: { operation: "deliver-link", ...wanted, variant, by, isVisit, handsOver },
    present: (result: ObjectDelivered) => {
      const handed = handedOver(asked, result);
      if (handed !== undefined) return { ...handed, onDelivered: result.settleHandedOver };
      const { settle: onDelivered, onRunning } = result;
      const answer = { ...bytesAnswer(asked, result), onDelivered, onRunning };
      return isVisit ? download(asked, answer) : countedWhenSent(asked, "continued", answer);
    },
  };
}

/** A part is no download, and neither is the answer that the client has the bytes. */
function download(asked: Asked, answer: Answer): Answer {
  return answer.status === 200 ? countedWhenSent(asked, "downloaded", answer) : answer;
}

/** The answer of a link that hands over; `undefined` if the gateway sends the bytes itself. */
function handedOver(asked: Asked, result: ObjectRead): Answer | undefined {
  const { grant, permit, options } = asked;
  if (grant.link.handOver !== true || options.handOver === undefined || permit.object === undefined) return undefined;
  const secondsLeft = (grant.expiresAt.getTime() - permit.at) / 1000;
  const path = options.filePath?.(permit.object);
  return handOver(options.handOver, result, { headers: headersOf(asked, result.info), path, secondsLeft });
}

/** Status and headers of bytes that the gateway sends. A driver's redirect would leave the count. */
function bytesAnswer(asked: Asked, result: ObjectRead): Answer {
  const { grant, permit } = asked;
  const headers = { ...headersOf(asked, result.info) };
  const answered = { ...permit, grant: { ...grant, obligations: [{ kind: "response" as const, headers }] } };
  const answer = presentRead(result, { permit: answered, style: STYLE, mayRedirect: () => false });
  answer.headers.push("x-robots-tag", "noindex");
  return answer;
}

/** The headers of bytes: inline only if the page asked to show them, and never stored. */
function headersOf(asked: Asked, info: ObjectInfo): BytesHeaders {
  const { grant } = asked;
  const { link } = grant;
  const contentType = link.response?.contentType ?? info.contentType;
  const name = (grant.rest || link.key).split("/").at(-1);
  const how = isShown(asked, info) ? "inline" : "attachment";
  const disposition = link.response?.contentDisposition ?? contentDisposition(how, name);
  return { "content-type": contentType, "content-disposition": disposition, "cache-control": "no-store" };
}

/** Whether a page shows the bytes: that is part of the opened page, so it is neither counted nor audited. */
function isShown({ grant: { link, isCounted }, query }: Asked, info: ObjectInfo): boolean {
  return query.has("view") && link.preview && !isCounted && isViewable(link.response?.contentType ?? info.contentType);
}

const STYLE = headerStyle(() => []);

export function headOf(asked: Asked, object: PermittedObject): HeadObject {
  return { operation: "head-object", ...selectionOf(asked, object), conditions: undefined, range: undefined };
}

function selectionOf(asked: Asked, object: PermittedObject, action: AuditAction = "link.opened") {
  const { received } = asked;
  const check = (info: ObjectInfo): void => expectUnchanged(asked, info, isShown(asked, info) ? undefined : action);
  return { object, conditions: readConditions(received.fields), range: rangeOf(received), check };
}

/** One range at most; several mean the whole. */
function rangeOf({ fields: { range, ifRange } }: Received): GetObject["range"] {
  return range === undefined || range.includes(",") ? undefined : { range, ifRange };
}

/** Refuses an object other than the pinned one. @param action of the record about it; `undefined` writes none */
export function expectUnchanged(asked: Asked, info: ObjectInfo, action: AuditAction | undefined): void {
  const { bucket, key, pin } = asked.grant.place;
  if (isPinned(pin, info)) return;
  if (action !== undefined) note(asked, { action, result: "changed", target: `${bucket}/${key}` });
  throw new LinkRefused("changed");
}
