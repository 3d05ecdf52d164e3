/** What a request for an opened link asks for: one row for each kind of answer. */
import type { WireRequest } from "daypass";
import { contentDisposition } from "../../http/content-disposition.ts";
import { deliveryToken, hashOf, isClaimKey, randomClaimKey } from "../../links/identifiers.ts";
import { type LinkOpener, LinkRefused } from "../../links/open-link.ts";
import type { ClaimLink, LinkClaimed } from "../../operations/claim-link.ts";
import type { DeliverLink, ObjectDelivered } from "../../operations/deliver-link.ts";
import type { GetObject, HeadObject, ObjectRead } from "../../operations/get-object.ts";
import type { ListedFolder, ListFolder } from "../../operations/list-folder.ts";
import type { ZipPrefix, Zipped } from "../../operations/zip-prefix.ts";
import { SAFE_HEADERS } from "../../pages/layout.ts";
import { downloadCommand, isViewable, linkPage } from "../../pages/link-page.ts";
import { encodePath, type ListingEntry, listingPage, rowsFrom, type SortColumn } from "../../pages/listing-page.ts";
import type { Permit, PermittedObject } from "../../permit.ts";
import { permitPrefix } from "../../pipeline/authorize.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { Received } from "../../pipeline/receive.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { networkOf } from "../../pipeline/unverified-body-limit.ts";
import { LEASE } from "../../state/contract/deliveries.ts";
import type { AuditAction } from "../../state/contract/events.ts";
import type { ObjectInfo } from "../../storage/contract/storage.ts";
import { headerStyle, presentRead } from "../object-headers.ts";
import { wantsPage } from "../page.ts";
import type { Task } from "../protocol.ts";
import { readConditions } from "../request-fields.ts";
import type { Asked } from "./asked.ts";
import { visitCookie, withBrowserCookie } from "./cookies.ts";
import type { LinkGrant, LinkProtocolOptions } from "./grant.ts";
import { type BytesHeaders, handedRange, handOver } from "./hand-over.ts";
import { expectLeft, pageFields } from "./page-fields.ts";
import { readQuery } from "./path.ts";
import { lineAnswer, messagesOf, pageAnswer } from "./refuse.ts";
import { routeLinkTask } from "./route-link.ts";

/** Entries of a folder that are sorted. */
const MAX_ENTRIES = 10_000;

/** Chooses the row of a request. */
export function linkTask(options: LinkProtocolOptions): (permit: Permit<LinkGrant>, received: Received) => Task {
  return (permit, received) => {
    const { request } = received;
    const { grant } = permit;
    const asked: Asked = {
      ...{ grant, permit, received, request, options },
      query: readQuery(request.target),
      isPage: wantsPage(request),
    };
    if (!["GET", "HEAD", "POST"].includes(request.method)) {
      const refusal = new Refusal("METHOD_NOT_ALLOWED", `a link takes GET, HEAD and POST, not ${request.method}`);
      if (permit.object === undefined) throw refusal;
      return refuse(asked, permit.object, refusal);
    }
    return withBrowserCookie(asked, taskOf(asked));
  };
}

function taskOf(asked: Asked): Task {
  const { grant, permit } = asked;
  if (grant.link.kind === "route") return routeLinkTask(asked);
  if (grant.link.kind === "prefix") return prefixTask(asked);
  if (permit.object === undefined) throw new LinkRefused("unknown");
  return objectTask(asked, permit.object);
}

function objectTask(asked: Asked, object: PermittedObject): Task {
  const { grant, request, query, isPage } = asked;
  const isDelivery = grant.path.startsWith("/d/");
  if (request.method === "POST")
    return isDelivery || !grant.form?.claim ? showPage(asked, object) : claim(asked, object);
  if (grant.isCounted && isPrefetch(request))
    return { request: headOf(asked, object), present: () => needsClaim(asked) };
  if (isDelivery) return deliver(asked, object, { token: hashOf(grant.token ?? "") });
  const claimKey = query.get("dl");
  if (grant.isCounted && claimKey !== null) {
    if (!isClaimKey(claimKey)) {
      const message = "dl is not 16 to 64 letters, digits, - or _";
      return refuse(asked, object, new Refusal("INVALID_ARGUMENT", message, { parameter: "dl" }));
    }
    return deliver(asked, object, claimOf(asked, claimKey));
  }
  const wantsBytes = query.has("view") || query.has("download");
  if (isPage && !wantsBytes) return showPage(asked, object);
  if (grant.isCounted) return { request: headOf(asked, object), present: () => needsClaim(asked) };
  return read(asked, object);
}

/** Refuses a request. If the object is gone or changed, a slug gets the answer of an unknown one instead. */
function refuse(asked: Asked, object: PermittedObject, refusal: Refusal): Task<HeadObject> {
  return {
    request: headOf(asked, object),
    present() {
      throw refusal;
    },
  };
}

/** Whether the browser fetches ahead: its user has opened nothing yet. */
function isPrefetch({ headers }: WireRequest): boolean {
  return headers.some(([name, value]) => /^(?:sec-purpose|purpose|x-moz)$/i.test(name) && /prefetch/i.test(value));
}

/** The bytes of a link that counts nothing. */
function read(asked: Asked, object: PermittedObject): Task<GetObject> | Task<HeadObject> {
  const { request } = asked;
  const wanted = selectionOf(asked, object);
  if (request.method === "HEAD") {
    return { request: { operation: "head-object", ...wanted }, present: (result) => bytesAnswer(asked, result) };
  }
  const target = `${object.bucket}/${object.key}`;
  return {
    request: { operation: "get-object", ...wanted },
    present: (result) => ({
      ...(handedOver(asked, result) ?? bytesAnswer(asked, result)),
      onDelivered: (bytes) => note(asked, { action: "link.read", result: "ok", target, bytes }),
    }),
  };
}

/** Puts a use of the link on record that no claim decides. */
function note({ grant, request, options }: Asked, entry: Omit<Parameters<LinkOpener["note"]>[1], "address">): void {
  const { link, variant } = grant;
  const address = networkOf(request.remoteAddress ?? "");
  options.opener.note(link.id, { recipient: variant.name, address, ...entry });
}

/** The bytes of a link that counts: what a claim or a started delivery may have. */
function deliver(asked: Asked, object: PermittedObject, by: DeliverLink["by"]): Task<DeliverLink> | Task<HeadObject> {
  const { grant, request, options } = asked;
  const { link, variant } = grant;
  const handsOver = link.handOver === true && options.handOver ? handedRange(options.handOver, request) : undefined;
  const wanted = selectionOf(asked, object, "delivery.started");
  if (request.method === "HEAD") {
    return {
      request: { operation: "head-object", ...wanted },
      present: (result: ObjectRead) => bytesAnswer(asked, result),
    };
  }
  return {
    request: { operation: "deliver-link", ...wanted, variant, by, isVisit: link.kind === "prefix", handsOver },
    present: (result: ObjectDelivered) => {
      const handed = handedOver(asked, result);
      if (handed !== undefined) return { ...handed, onDelivered: result.settleHandedOver };
      return { ...bytesAnswer(asked, result), onDelivered: result.settle, onRunning: result.onRunning };
    },
  };
}

/** The button: takes a delivery and sends the browser to it. The same claim key leads to the same delivery. */
function claim(asked: Asked, object: PermittedObject | undefined): Task<ClaimLink> {
  const { grant, options } = asked;
  const { variant, link } = grant;
  const claimKey = grant.form?.claim ?? "";
  const isVisit = link.kind === "prefix";
  const token = deliveryToken(options.stateKey, variant.id, claimKey);
  return {
    request: {
      operation: "claim-link",
      variant,
      object,
      check: (info) => expectUnchanged(asked, info, "delivery.claimed"),
      claimKey,
      token,
      address: networkOf(asked.request.remoteAddress ?? ""),
      isVisit,
    },
    present: ({ delivery }: LinkClaimed) => {
      const headers = [...SAFE_HEADERS, "location", isVisit ? `${grant.path}/` : `/d/${token}`, "content-length", "0"];
      headers.push("set-cookie", visitCookie(asked, token, Math.max(delivery.leaseUntil, delivery.claimedAt + LEASE)));
      return { status: 303, headers, body: undefined };
    },
  };
}

function claimOf({ grant, options, request }: Asked, claimKey: string): DeliverLink["by"] {
  const token = deliveryToken(options.stateKey, grant.variant.id, claimKey);
  return { claim: hashOf(claimKey), token: hashOf(token), address: networkOf(request.remoteAddress ?? "") };
}

function showPage(asked: Asked, object: PermittedObject): Task<HeadObject> {
  const { grant, request, options } = asked;
  const { link, variant, isCounted } = grant;
  return {
    request: headOf(asked, object),
    present: ({ info }: ObjectRead) => {
      note(asked, { action: "link.viewed", result: "ok" });
      const name = link.key.split("/").at(-1) || link.key;
      if (grant.delivery === undefined) expectLeft(variant);
      const fields = pageFields(asked, options.origin);
      const page = linkPage(messagesOf(request), {
        ...fields,
        name,
        size: info.size,
        contentType: link.response?.contentType ?? info.contentType,
        claimKey: isCounted ? randomClaimKey() : undefined,
        delivery: grant.delivery && `/d/${grant.token}`,
        preview: link.preview && !isCounted,
      });
      return pageAnswer(request, 200, page);
    },
  };
}

/** 428 says that a plain GET takes nothing, and how to take it. */
function needsClaim({ grant, options, request }: Asked): Answer {
  const { link, variant, path } = grant;
  const url = `${options.origin}${path}?dl=${randomClaimKey()}`;
  const name = link.key.split("/").at(-1) || link.key;
  const command = downloadCommand(name, url, link.password === undefined ? "" : "-u :PASSWORD ");
  const reason = variant.max === undefined ? "this link has to be confirmed" : "this link is counted";
  const answer = lineAnswer(428, `${reason}. To take one delivery: ${command}`);
  return request.method === "HEAD" ? { ...answer, body: undefined } : answer;
}

function headOf(asked: Asked, object: PermittedObject): HeadObject {
  return { operation: "head-object", ...selectionOf(asked, object), conditions: undefined, range: undefined };
}

function selectionOf(asked: Asked, object: PermittedObject, action: AuditAction = "link.opened") {
  const { received } = asked;
  const check = (info: ObjectInfo): void => expectUnchanged(asked, info, action);
  return { object, conditions: readConditions(received.fields), range: rangeOf(received), check };
}

/** One range at most; several mean the whole. */
function rangeOf({ fields: { range, ifRange } }: Received): GetObject["range"] {
  return range === undefined || range.includes(",") ? undefined : { range, ifRange };
}

function expectUnchanged(asked: Asked, info: ObjectInfo, action: AuditAction): void {
  const { link } = asked.grant;
  if (link.kind !== "object" || link.etag === undefined) return;
  if (link.etag === info.etag && link.size === info.size) return;
  note(asked, { action, result: "changed", target: `${link.bucket}/${link.key}` });
  throw new LinkRefused("changed");
}

const STYLE = headerStyle(() => []);

/** The headers of bytes: inline only if the page asked to show them, and never stored. */
function headersOf(asked: Asked, info: ObjectInfo): BytesHeaders {
  const { grant, query } = asked;
  const { link } = grant;
  const contentType = link.response?.contentType ?? info.contentType;
  const name = (grant.rest || link.key).split("/").at(-1);
  const isShown = query.has("view") && link.preview && !grant.isCounted && isViewable(contentType);
  const disposition = link.response?.contentDisposition ?? contentDisposition(isShown ? "inline" : "attachment", name);
  return { "content-type": contentType, "content-disposition": disposition, "cache-control": "no-store" };
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

function prefixTask(asked: Asked): Task {
  const { grant, permit, request, isPage, query } = asked;
  const { rest, isCounted, delivery, link, path } = grant;
  const hasVisit = !isCounted || delivery !== undefined;
  if (request.method === "POST" && grant.form?.claim !== undefined) return claim(asked, undefined);
  // The form of the password posts to the address that asked for it, with or without a slash.
  if (!hasVisit && (rest !== undefined || request.method === "POST"))
    return isPage
      ? visitPage(asked)
      : { ...listing(asked, permitPrefix(permit, link.key)), present: () => needsVisit(asked) };
  // Names below a folder are relative to it, so the address of a folder ends with a slash.
  if (rest === undefined) return redirectTo(asked, `${path}/`);
  const token = delivery?.token;
  if (permit.object !== undefined) {
    return token === undefined ? read(asked, permit.object) : deliver(asked, permit.object, { token });
  }
  const keys = permitPrefix(permit, `${link.key}${rest}`);
  if (!query.has("zip")) return listing(asked, keys);
  const target = `${keys.bucket}/${keys.prefix}`;
  const zip: Task<ZipPrefix> = {
    request: { operation: "zip-prefix", keys, variant: grant.variant, token },
    present: ({ stream, settle, onRunning }: Zipped) => ({
      status: 200,
      headers: [
        ...[
          "content-type",
          "application/zip",
          "content-disposition",
          contentDisposition("attachment", `${titleOf(grant)}.zip`),
        ],
        ...SAFE_HEADERS,
      ],
      body: { kind: "stream", stream, length: undefined },
      onRunning,
      onDelivered: (bytes) => {
        settle(bytes);
        if (token === undefined) note(asked, { action: "link.read", result: "ok", target, bytes });
      },
    }),
  };
  return zip;
}

function redirectTo(asked: Asked, location: string): Task {
  const keys = permitPrefix(asked.permit, asked.grant.link.key);
  const headers = [...SAFE_HEADERS, "location", location, "content-length", "0"];
  return {
    request: { operation: "list-folder", keys, limit: 0 },
    present: () => ({ status: 303, headers, body: undefined }),
  };
}

function needsVisit({ grant, options }: Asked): Answer {
  return lineAnswer(428, `this folder opens in a browser: ${options.origin}${grant.path}/`);
}

/** The page before a counted folder opens: its button takes the visit. */
function visitPage(asked: Asked): Task<ListFolder> {
  const { grant, permit, request, options } = asked;
  return {
    request: { operation: "list-folder", keys: permitPrefix(permit, grant.link.key), limit: 0 },
    present: () => {
      expectLeft(grant.variant);
      const fields = { ...pageFields(asked, options.origin), name: titleOf(grant), claimKey: randomClaimKey() };
      return pageAnswer(request, 200, linkPage(messagesOf(request), fields));
    },
  };
}

const SORTS: Readonly<Record<SortColumn, (a: ListingEntry, b: ListingEntry) => number>> = {
  name: (a, b) => (a.name < b.name ? -1 : 1),
  size: (a, b) => (a.size ?? -1) - (b.size ?? -1),
  date: (a, b) => (a.changedAt?.getTime() ?? 0) - (b.changedAt?.getTime() ?? 0),
};

function listing(asked: Asked, keys: ListFolder["keys"]): Task<ListFolder> {
  const { grant, query, request, options } = asked;
  const { link, rest = "", path } = grant;
  const wanted = query.get("sort");
  const sort = wanted === "size" || wanted === "date" ? wanted : "name";
  const descending = query.get("order") === "desc";
  const from = Math.max(0, Math.trunc(Number(query.get("from") ?? 0)) || 0);
  return {
    request: { operation: "list-folder", keys, limit: MAX_ENTRIES },
    present: ({ entries, isTruncated }: ListedFolder) => {
      const rows = entries
        .map(
          (entry): ListingEntry =>
            entry.kind === "prefix"
              ? { name: entry.prefix.slice(keys.prefix.length) }
              : { name: entry.key.slice(keys.prefix.length), size: entry.size, changedAt: entry.lastModified },
        )
        .filter(({ name }) => name !== "")
        .sort((a, b) => (descending ? SORTS[sort](b, a) : SORTS[sort](a, b)));
      const shown = rowsFrom(rows, from);
      const next = from + shown.length;
      const page = listingPage(messagesOf(request), {
        title: rest === "" ? titleOf(grant) : rest.replace(/\/$/, ""),
        path: `${path}/${encodePath(rest)}`,
        root: `${path}/`,
        entries: shown,
        ...{ sort, descending, isTruncated },
        next: next < rows.length ? next : undefined,
        note: link.note,
        sharedBy: options.sharedBy,
        expiresAt: new Date(link.expiresAt),
      });
      return pageAnswer(request, 200, page);
    },
  };
}

function titleOf({ link }: LinkGrant): string {
  return link.label ?? (link.key.replace(/\/$/, "").split("/").at(-1) || link.bucket);
}
