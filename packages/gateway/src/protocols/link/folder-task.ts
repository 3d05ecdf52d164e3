import { contentDisposition } from "../../http/content-disposition.ts";
import { contentTypeOf } from "../../http/content-type.ts";
import { hiddenPart } from "../../links/hidden-names.ts";
import { randomClaimKey } from "../../links/identifiers.ts";
import { isPrefix, kindOfLink, type Place } from "../../links/link-kinds.ts";
import { LinkRefused } from "../../links/open-link.ts";
import { setNames } from "../../links/set-names.ts";
import type { ListedFolder, ListFolder } from "../../operations/list-folder.ts";
import type { ListSet, NamedTarget } from "../../operations/list-set.ts";
import type { Zipped, ZipTargets } from "../../operations/zip-targets.ts";
import { filePage } from "../../pages/file-page.ts";
import { SAFE_HEADERS } from "../../pages/layout.ts";
import { isPicture, linkPage } from "../../pages/link-page.ts";
import { encodePath, type ListingEntry, listingPage, rowsFrom, type SortColumn } from "../../pages/listing-page.ts";
import { countsText } from "../../pages/messages/index.ts";
import type { Messages } from "../../pages/messages/types.ts";
import { permitPrefix, permitTargets } from "../../pipeline/authorize.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import { targetText } from "../../state/contract/target-text.ts";
import { messagesOf } from "../page.ts";
import type { Task } from "../protocol.ts";
import type { Asked } from "./asked.ts";
import { deliver, note, read } from "./bytes.ts";
import { claim } from "./claim.ts";
import type { LinkGrant } from "./grant.ts";
import { countedWhenSent, openedPage } from "./link-use.ts";
import { expectLeft, fileKind, pageFields, proofOf } from "./page-fields.ts";
import { lineAnswer } from "./refuse.ts";
import { thumbnail } from "./thumbnail.ts";

/** Entries of a folder that are sorted. */
const MAX_ENTRIES = 10_000;

/** The task of a prefix link and of a set, and of the folders below them. */
export function folderTask(asked: Asked): Task {
  const { grant, permit, request, isPage, query } = asked;
  const { rest, isCounted, delivery, link, path, place } = grant;
  // The owner's rights must cover the whole link, whichever part of it is asked for.
  const whole = folderAt(asked, kindOfLink(link).placeAt(link, undefined));
  const hasVisit = !isCounted || delivery !== undefined;
  if (request.method === "POST" && grant.form?.claim !== undefined) return claim(asked, undefined);
  // The form of the password posts to the address that asked for it, with or without a slash.
  if (!hasVisit && (rest !== undefined || request.method === "POST"))
    return isPage ? visitPage(asked, whole) : { request: whole.list(0), present: () => needsVisit(asked) };
  // Names below a folder are relative to it, so the address of a folder ends with a slash.
  if (rest === undefined) return redirectTo(whole, `${path}/`);
  if (place.isUnknown || (link.hidden !== true && hiddenPart(place.folder?.rest ?? "") !== undefined))
    throw new LinkRefused("unknown");
  const token = delivery?.token;
  if (permit.object !== undefined) {
    if (query.has("thumb")) return thumbnail(asked, permit.object);
    if (isPage && !query.has("view") && !query.has("download")) return filePageOf(asked, rest);
    return token === undefined ? read(asked, permit.object) : deliver(asked, permit.object, { token });
  }
  const folder = folderAt(asked, place);
  if (!query.has("zip")) return listing(asked, folder);
  const { targets, record } = folder;
  const zip: Task<ZipTargets> = {
    request: { operation: "zip-targets", targets, record, variant: grant.variant, token },
    present: ({ stream, settle, onRunning }: Zipped) =>
      countedWhenSent(asked, "downloaded", {
        status: 200,
        headers: [
          "content-type",
          "application/zip",
          "content-disposition",
          contentDisposition("attachment", `${titleOf(grant, messagesOf(request))}.zip`),
          ...SAFE_HEADERS,
        ],
        body: { kind: "stream", stream, length: undefined },
        onRunning,
        onDelivered: (bytes) => {
          settle(bytes);
          if (token === undefined) note(asked, { action: "link.read", result: "ok", target: record, bytes });
        },
      }),
  };
  return zip;
}

/** A folder that the link shows. */
interface Folder {
  /** @param limit of entries */
  list(limit: number): ListFolder | ListSet;
  /** The name of an entry by its key or prefix. */
  nameOf(key: string): string;
  /** What its zip contains. */
  readonly targets: readonly NamedTarget[];
  /** Its name in records. */
  readonly record: string;
}

/** The folder at a place. For a file, the folder that contains it. */
function folderAt({ grant: { link }, permit }: Asked, { folder }: Place): Folder {
  if (folder === undefined) return setFolder(link, permit);
  const keys = shownBelow(folder.key, link, permitPrefix(permit, folder.key + folder.rest.replace(/[^/]*$/, "")));
  return {
    list: (limit) => ({ operation: "list-folder", keys, limit }),
    nameOf: (key) => key.slice(keys.prefix.length),
    targets: [{ name: "", target: { keys, isRevoked: () => false }, pin: undefined }],
    record: `${keys.bucket}/${keys.prefix}`,
  };
}

function setFolder(link: LinkGrant["link"], permit: Asked["permit"]): Folder {
  const { bucket, targets: pinned = [] } = link;
  const keys = pinned.map(({ key }) => key);
  const names = setNames(bucket, keys);
  const nameOf = (key: string): string => names[keys.indexOf(key)] ?? "";
  const targets = permitTargets(permit, keys).map((target, at) => {
    const key = keys[at] ?? "";
    const shown = target.keys && { ...target, keys: shownBelow(key, link, target.keys) };
    return { name: nameOf(key), target: shown ?? target, pin: pinned[at] };
  });
  const delivered = pinned.filter((_, at) => targets[at]?.target.isRevoked() === false);
  const record = targetText({ bucket, key: link.key, targets: delivered });
  return { list: () => ({ operation: "list-set", targets }), nameOf, targets, record };
}

/** Leaves out hidden names as if they were revoked, unless the owner shows them. */
function shownBelow(key: string, { hidden }: LinkGrant["link"], keys: ListFolder["keys"]): ListFolder["keys"] {
  if (hidden === true) return keys;
  return {
    ...keys,
    revokedAt(text) {
      const part = hiddenPart(text.slice(key.length));
      return part === undefined ? keys.revokedAt(text) : `${key}${part}`;
    },
  };
}

function redirectTo(whole: Folder, location: string): Task {
  const headers = [...SAFE_HEADERS, "location", location, "content-length", "0"];
  return {
    request: whole.list(0),
    present: () => ({ status: 303, headers, body: undefined }),
  };
}

function needsVisit({ grant, options }: Asked): Answer {
  return lineAnswer(428, `this folder opens in a browser: ${options.origin}${grant.path}/`);
}

/** The page before a counted folder opens: its button takes the visit. */
function visitPage(asked: Asked, whole: Folder): Task<ListFolder | ListSet> {
  const { grant, request, options } = asked;
  return {
    request: whole.list(0),
    present: () => {
      expectLeft(grant.variant);
      const messages = messagesOf(request);
      const page = linkPage(messages, {
        ...pageFields(asked, options.origin),
        kind: linkKind(grant),
        name: titleOf(grant, messages),
        claimKey: randomClaimKey(),
        proof: proofOf(asked),
        preview: false,
      });
      return openedPage(asked, page);
    },
  };
}

const SORTS: Readonly<Record<SortColumn, (a: ListingEntry, b: ListingEntry, names: Intl.Collator) => number>> = {
  name: (a, b, names) => names.compare(a.name, b.name),
  size: (a, b) => (a.size ?? 0) - (b.size ?? 0),
  date: (a, b) => (a.changedAt?.getTime() ?? 0) - (b.changedAt?.getTime() ?? 0),
};

function entriesOf(
  { grant, options }: Asked,
  { nameOf }: Folder,
  entries: ListedFolder["entries"],
): readonly ListingEntry[] {
  const showsPictures = grant.link.preview && !grant.isCounted;
  const named = entries.map((entry): ListingEntry => {
    if (entry.kind === "prefix") return { name: nameOf(entry.prefix), kind: "folder" };
    const name = nameOf(entry.key);
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

function listing(asked: Asked, folder: Folder): Task<ListFolder | ListSet> {
  const { grant, query, request, options } = asked;
  const { rest = "", path } = grant;
  const wanted = query.get("sort");
  const sort = wanted === "size" || wanted === "date" ? wanted : "name";
  const descending = query.get("order") === "desc";
  const from = Math.max(0, Math.trunc(Number(query.get("from") ?? 0)) || 0);
  return {
    request: folder.list(MAX_ENTRIES),
    present: ({ entries, isTruncated }: ListedFolder) => {
      const messages = messagesOf(request);
      const rows = sorted(entriesOf(asked, folder, entries), sort, descending, messages.language);
      const hasPictures = rows.some(({ picture }) => picture !== undefined);
      const view = hasPictures && query.get("view") === "gallery" ? "gallery" : "list";
      const shown = rowsFrom(rows, from, view);
      const next = from + shown.length;
      const page = listingPage(messages, {
        ...pageFields(asked, options.origin),
        kind: linkKind(grant),
        title: rest === "" ? titleOf(grant, messages) : (rest.split("/").at(-2) ?? rest),
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
      return openedPage(asked, page);
    },
  };
}

/** The page of one file of a folder, between the files before and after it. */
function filePageOf(asked: Asked, rest: string): Task<ListFolder | ListSet> {
  const { grant, request, options } = asked;
  const { link, path, isCounted, place } = grant;
  const folder = rest.replace(/[^/]*$/, "");
  const shown = folderAt(asked, place);
  return {
    request: shown.list(MAX_ENTRIES),
    present: ({ entries, isTruncated }: ListedFolder) => {
      const messages = messagesOf(request);
      const files = sorted(entriesOf(asked, shown, entries), "name", false, messages.language).filter(
        ({ size }) => size !== undefined,
      );
      const at = files.findIndex(({ name }) => `${folder}${name}` === rest);
      if (at === -1 && !isTruncated) throw new LinkRefused("unknown");
      const name = rest.slice(folder.length);
      const page = filePage(messages, {
        ...pageFields(asked, options.origin),
        folder: `${path}/${encodePath(folder)}`,
        folderTitle: folder === "" ? titleOf(grant, messages) : (folder.split("/").at(-2) ?? folder),
        name,
        kind: fileKind(name),
        contentType: contentTypeOf(name),
        size: files[at]?.size,
        place: at === -1 ? undefined : { at, files },
        preview: link.preview && !isCounted,
      });
      return openedPage(asked, page);
    },
  };
}

function linkKind({ link }: LinkGrant): "folder" | "set" {
  return link.targets === undefined ? "folder" : "set";
}

function titleOf({ link }: LinkGrant, messages: Messages): string {
  const { label, targets } = link;
  if (label === undefined && targets !== undefined) {
    const folders = targets.filter(({ key }) => isPrefix(key)).length;
    return countsText(messages, { files: targets.length - folders, folders });
  }
  return label ?? (link.key.replace(/\/$/, "").split("/").at(-1) || link.bucket);
}
