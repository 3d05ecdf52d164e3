import { contentDisposition } from "../../http/content-disposition.ts";
import { contentTypeOf } from "../../http/content-type.ts";
import { hiddenPart } from "../../links/hidden-names.ts";
import { randomClaimKey } from "../../links/identifiers.ts";
import { LinkRefused } from "../../links/open-link.ts";
import type { ListedFolder, ListFolder } from "../../operations/list-folder.ts";
import type { ZipPrefix, Zipped } from "../../operations/zip-prefix.ts";
import { filePage } from "../../pages/file-page.ts";
import { SAFE_HEADERS } from "../../pages/layout.ts";
import { isPicture, linkPage } from "../../pages/link-page.ts";
import { encodePath, type ListingEntry, listingPage, rowsFrom, type SortColumn } from "../../pages/listing-page.ts";
import { permitPrefix } from "../../pipeline/authorize.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import { messagesOf, pageAnswer } from "../page.ts";
import type { Task } from "../protocol.ts";
import type { Asked } from "./asked.ts";
import { deliver, note, read } from "./bytes.ts";
import { claim } from "./claim.ts";
import type { LinkGrant } from "./grant.ts";
import { expectLeft, fileKind, pageFields, proofOf } from "./page-fields.ts";
import { lineAnswer } from "./refuse.ts";
import { thumbnail } from "./thumbnail.ts";

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
  if (link.hidden !== true && hiddenPart(rest) !== undefined) throw new LinkRefused("unknown");
  const token = delivery?.token;
  if (permit.object !== undefined) {
    if (query.has("thumb")) return thumbnail(asked, permit.object);
    if (isPage && !query.has("view") && !query.has("download")) return filePageOf(asked, rest);
    return token === undefined ? read(asked, permit.object) : deliver(asked, permit.object, { token });
  }
  const keys = shownBelow(link, permitPrefix(permit, `${link.key}${rest}`));
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

/** Leaves out hidden names as if they were revoked, unless the owner shows them. */
function shownBelow({ key, hidden }: LinkGrant["link"], keys: ListFolder["keys"]): ListFolder["keys"] {
  if (hidden === true) return keys;
  return {
    ...keys,
    revokedAt(text) {
      const part = hiddenPart(text.slice(key.length));
      return part === undefined ? keys.revokedAt(text) : `${key}${part}`;
    },
  };
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
      const page = linkPage(messagesOf(request), {
        ...pageFields(asked, options.origin),
        kind: "folder",
        name: titleOf(grant),
        claimKey: randomClaimKey(),
        proof: proofOf(asked),
        preview: false,
      });
      return pageAnswer(request, 200, page);
    },
  };
}

const SORTS: Readonly<Record<SortColumn, (a: ListingEntry, b: ListingEntry, names: Intl.Collator) => number>> = {
  name: (a, b, names) => names.compare(a.name, b.name),
  size: (a, b) => (a.size ?? 0) - (b.size ?? 0),
  date: (a, b) => (a.changedAt?.getTime() ?? 0) - (b.changedAt?.getTime() ?? 0),
};

function entriesBelow(
  { grant, options }: Asked,
  prefix: string,
  entries: ListedFolder["entries"],
): readonly ListingEntry[] {
  const showsPictures = grant.link.preview && !grant.isCounted;
  const named = entries.map((entry): ListingEntry => {
    if (entry.kind === "prefix") return { name: entry.prefix.slice(prefix.length), kind: "folder" };
    const name = entry.key.slice(prefix.length);
    const isShown = showsPictures && isPicture(contentTypeOf(name));
    const picture = isShown ? (options.sizes.get(entry.etag) ?? {}) : undefined;
    return { name, kind: fileKind(name), size: entry.size, changedAt: entry.lastModified, picture };
  });
  return named.filter(({ name }) => name !== "");
}

/** Folders first, then by the column. */
function sorted(entries: readonly ListingEntry[], sort: SortColumn, descending: boolean, language: string) {
  const names = new Intl.Collator(language, { numeric: true });
  const rank = ({ size }: ListingEntry) => (size === undefined ? 0 : 1);
  const sign = descending ? -1 : 1;
  return entries.toSorted((a, b) => rank(a) - rank(b) || sign * SORTS[sort](a, b, names));
}

function listing(asked: Asked, keys: ListFolder["keys"]): Task<ListFolder> {
  const { grant, query, request, options } = asked;
  const { rest = "", path } = grant;
  const wanted = query.get("sort");
  const sort = wanted === "size" || wanted === "date" ? wanted : "name";
  const descending = query.get("order") === "desc";
  const from = Math.max(0, Math.trunc(Number(query.get("from") ?? 0)) || 0);
  return {
    request: { operation: "list-folder", keys, limit: MAX_ENTRIES },
    present: ({ entries, isTruncated }: ListedFolder) => {
      const messages = messagesOf(request);
      const rows = sorted(entriesBelow(asked, keys.prefix, entries), sort, descending, messages.language);
      const hasPictures = rows.some(({ picture }) => picture !== undefined);
      const view = hasPictures && query.get("view") === "gallery" ? "gallery" : "list";
      const shown = rowsFrom(rows, from, view);
      const next = from + shown.length;
      const page = listingPage(messages, {
        ...pageFields(asked, options.origin),
        title: rest === "" ? titleOf(grant) : (rest.split("/").at(-2) ?? rest),
        folder: `${path}/${encodePath(rest)}`,
        hasParent: rest !== "",
        entries: rows,
        rows: shown,
        view,
        sort,
        descending,
        isTruncated,
        next: next < rows.length ? next : undefined,
      });
      return pageAnswer(request, 200, page);
    },
  };
}

/** The page of one file of a folder, between the files before and after it. */
function filePageOf(asked: Asked, rest: string): Task<ListFolder> {
  const { grant, permit, request, options } = asked;
  const { link, path, isCounted } = grant;
  const folder = rest.replace(/[^/]*$/, "");
  const keys = shownBelow(link, permitPrefix(permit, `${link.key}${folder}`));
  return {
    request: { operation: "list-folder", keys, limit: MAX_ENTRIES },
    present: ({ entries, isTruncated }: ListedFolder) => {
      const messages = messagesOf(request);
      const files = sorted(entriesBelow(asked, keys.prefix, entries), "name", false, messages.language).filter(
        ({ size }) => size !== undefined,
      );
      const at = files.findIndex(({ name }) => `${folder}${name}` === rest);
      if (at === -1 && !isTruncated) throw new LinkRefused("unknown");
      const name = rest.slice(folder.length);
      const page = filePage(messages, {
        ...pageFields(asked, options.origin),
        folder: `${path}/${encodePath(folder)}`,
        folderTitle: folder === "" ? titleOf(grant) : (folder.split("/").at(-2) ?? folder),
        name,
        kind: fileKind(name),
        contentType: contentTypeOf(name),
        size: files[at]?.size,
        place: at === -1 ? undefined : { at, files },
        preview: link.preview && !isCounted,
      });
      return pageAnswer(request, 200, page);
    },
  };
}

function titleOf({ link }: LinkGrant): string {
  return link.label ?? (link.key.replace(/\/$/, "").split("/").at(-1) || link.bucket);
}
