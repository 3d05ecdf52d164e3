import { contentDisposition } from "../../http/content-disposition.ts";
import { randomClaimKey } from "../../links/identifiers.ts";
import type { ListedFolder, ListFolder } from "../../operations/list-folder.ts";
import type { ZipPrefix, Zipped } from "../../operations/zip-prefix.ts";
import { SAFE_HEADERS } from "../../pages/layout.ts";
import { linkPage } from "../../pages/link-page.ts";
import { encodePath, type ListingEntry, listingPage, rowsFrom, type SortColumn } from "../../pages/listing-page.ts";
import { permitPrefix } from "../../pipeline/authorize.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { Task } from "../protocol.ts";
import type { Asked } from "./asked.ts";
import { deliver, note, read } from "./bytes.ts";
import { claim } from "./claim.ts";
import type { LinkGrant } from "./grant.ts";
import { expectLeft, pageFields } from "./page-fields.ts";
import { lineAnswer, messagesOf, pageAnswer } from "./refuse.ts";

/** Entries of a folder that are sorted. */
const MAX_ENTRIES = 10_000;

export function prefixTask(asked: Asked): Task {
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
        "content-type",
        "application/zip",
        "content-disposition",
        contentDisposition("attachment", `${titleOf(grant)}.zip`),
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
        sort,
        descending,
        isTruncated,
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
