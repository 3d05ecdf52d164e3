/** The page of a link to a prefix: folders, files, kinds, sizes and dates, sorted as the reader asks. */
import { type Content, html } from "./html.ts";
import { type Icon, icon } from "./icons.ts";
import { TONES } from "./kinds.ts";
import { dayText, layout, sizeText } from "./layout.ts";
import { footerOf, type LinkFacts, type PictureSize } from "./link-page.ts";
import { countsText, fill } from "./messages/index.ts";
import type { Kind, Messages } from "./messages/types.ts";
import { availability, sentBy } from "./ticket.ts";

/** A column by which a listing is sorted. */
export type SortColumn = "name" | "size" | "date";

/** A list of rows, or pictures. */
export type ListingView = "list" | "gallery";

/** One row. A folder has no size and no date. */
export interface ListingEntry {
  /** The name below the folder that is shown; a folder's ends with `/`. */
  readonly name: string;
  readonly kind: Kind;
  readonly size?: number | undefined;
  readonly changedAt?: Date | undefined;
  /** A file that `?thumb` shows, and its size if it is known. */
  readonly picture?: Partial<PictureSize> | undefined;
}

/** The height of a row of the gallery, and the width of a picture whose size is not known. */
const ROW = 208;

/** What the page shows. */
export interface ListingPage extends LinkFacts {
  /** What the link is for. */
  readonly kind: "folder" | "set";
  readonly title: string;
  /** The path of the folder that is shown; ends with `/`. */
  readonly folder: string;
  /** Whether the link is for a folder above it. */
  readonly hasParent: boolean;
  /** All entries of the folder. */
  readonly entries: readonly ListingEntry[];
  /** The entries of this page. */
  readonly rows: readonly ListingEntry[];
  readonly view: ListingView;
  readonly sort: SortColumn;
  readonly descending: boolean;
  /** The offset of the next rows; `undefined` at the end. */
  readonly next?: number | undefined;
  readonly isTruncated: boolean;
}

const ROWS_PER_PAGE = 150;
const FILES_PER_PAGE: Readonly<Record<ListingView, number>> = { list: ROWS_PER_PAGE, gallery: 48 };
/** Encoded bytes of the names of one page. */
const NAMES_PER_PAGE = 6000;

/** The rows of one page. With more or longer names, the compressed page would not fit the first congestion window. */
export function rowsFrom(entries: readonly ListingEntry[], from: number, view: ListingView): readonly ListingEntry[] {
  const rows: ListingEntry[] = [];
  let [bytes, files] = [0, 0];
  for (const entry of entries.slice(from, from + ROWS_PER_PAGE)) {
    bytes += encodePath(entry.name).length;
    files += entry.size === undefined ? 0 : 1;
    if (files > FILES_PER_PAGE[view] || (bytes > NAMES_PER_PAGE && rows.length > 0)) break;
    rows.push(entry);
  }
  return rows;
}

/** Renders the page of a folder. */
export function listingPage(messages: Messages, page: ListingPage): string {
  const { title, folder, rows, next, note, sharedBy, address, view } = page;
  return layout(messages, {
    title: sharedBy === undefined ? title : `${title} – ${sharedBy}`,
    width: "wide",
    footer: footerOf(messages, new URL(address).host),
    main: html`<div class="lead"><div>${sentBy(messages, page.kind, sharedBy)}
<h1><bdi>${title}</bdi></h1>
<p class="sum">${summary(messages, page)}</p></div>
<a class="go" href="${folder}?zip">${icon("download")}${messages.zip}</a></div>
${note !== undefined && html`<blockquote class="note"><bdi>${note}</bdi></blockquote>`}
<section class="view" aria-label="${messages.fileList}">
<div class="bar"><nav aria-label="${messages.kinds.folder.name}">${page.hasParent ? html`<a href="${parentOf(folder)}${queryOf({ view })}">${messages.parent}</a>` : html`<b>${messages.allFiles}</b>`}</nav>${page.entries.some(({ picture }) => picture) && views(messages, page)}</div>
${rows.length === 0 ? html`<p class="bar">${messages.empty}</p>` : view === "gallery" ? gallery(messages, page) : table(messages, page)}
${page.isTruncated && html`<p class="bar mid">${messages.truncated}</p>`}
${next !== undefined && html`<div class="bar"><a href="${folder}${queryOf({ ...page, from: next })}">${messages.more}</a></div>`}
</section>`,
  });
}

/** How many entries the folder has itself, their size, and how long the link lasts. */
function summary(messages: Messages, { entries, isTruncated, expiresAt, now }: ListingPage): Content {
  const files = entries.filter(({ size }) => size !== undefined);
  const folders = entries.length - files.length;
  const { left, until } = availability(messages, expiresAt, now);
  const bytes = files.reduce((sum, { size = 0 }) => sum + size, 0);
  const counts = countsText(messages, { files: files.length, folders });
  const size = files.length > 0 && ` · ${sizeText(bytes, messages.language)}`;
  return html`${!isTruncated && entries.length > 0 && html`${counts}${size} · `}${fill(messages.available, { left, until })}`;
}

type Order = Partial<Pick<ListingPage, "view" | "sort" | "descending">> & { readonly from?: number | undefined };

/** The query of a page of this folder or another. */
function queryOf({ view, sort, descending, from }: Order): string {
  const parts = [
    view === "gallery" && "view=gallery",
    sort && `sort=${sort}`,
    descending && "order=desc",
    from && `from=${from}`,
  ].filter(Boolean);
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

/** The switch between the list and the gallery. */
function views(messages: Messages, page: ListingPage): Content {
  const { folder, sort, descending } = page;
  const one = (view: ListingView, name: Icon) =>
    html`<a href="${folder}${queryOf({ view, sort, descending })}"${view === page.view && html` aria-current="page"`}>${icon(name)}${messages[view]}</a>`;
  return html`<nav class="seg" aria-label="${messages.view}">${one("list", "list")}${one("gallery", "grid")}</nav>`;
}

/** Folders as chips, then each file as its picture or the icon of its kind. */
function gallery(messages: Messages, { folder, rows }: ListingPage): Content {
  const folders = rows.filter(({ size }) => size === undefined);
  const chip = ({ name }: ListingEntry) =>
    html`<a href="${folder}${encodePath(name)}${queryOf({ view: "gallery" })}">${icon("folder")}<bdi>${name.replace(/\/$/, "")}</bdi></a>`;
  const tile = ({ name, kind, picture }: ListingEntry) => {
    const path = `${folder}${encodePath(name)}`;
    // A stripe would be invisible, or fill rows.
    const ratio = Math.min(3, Math.max(0.5, (picture?.width ?? 1) / (picture?.height ?? 1)));
    const shown = picture
      ? html`<img src="${path}?thumb" width="${Math.round(ROW * ratio)}" height="${ROW}" loading="lazy" alt="">`
      : html`<span class="k ${TONES[kind]}">${icon(kind)}</span>`;
    return html`<li><a href="${path}">${shown}<span><bdi>${name}</bdi></span></a></li>
`;
  };
  const files = rows.slice(folders.length);
  return html`${folders.length > 0 && html`<nav class="dirs" aria-label="${messages.folderList}">${folders.map(chip)}</nav>`}
${
  files.length > 0 &&
  html`<ul class="gal">
${files.map(tile)}</ul>`
}`;
}

function table(messages: Messages, page: ListingPage): Content {
  const { folder, rows, sort, descending, now } = page;
  const { language } = messages;
  const column = (name: SortColumn, text: string, style: string) => {
    const isCurrent = name === sort;
    const query = queryOf({ sort: name, descending: isCurrent && !descending });
    const direction = isCurrent ? (descending ? "descending" : "ascending") : "none";
    const arrow = isCurrent ? (descending ? " ↓" : " ↑") : "";
    return html`<th scope="col" class="${style}" aria-sort="${direction}"><a href="${folder}${query}">${text}${arrow}</a></th>`;
  };
  const row = ({ name, kind, size, changedAt, picture }: ListingEntry) => {
    const isFolder = size === undefined;
    const { name: kindName } = messages.kinds[kind];
    const sizes = isFolder ? "" : sizeText(size, language);
    const path = `${folder}${encodePath(name)}`;
    const shown = name.replace(/\/$/, "");
    const label = fill(messages.downloadOf, { name: shown });
    return html`<tr><td><a class="row" href="${path}">${picture ? html`<img src="${path}?thumb" width="40" height="40" loading="lazy" alt="">` : html`<span class="k ${TONES[kind]}">${icon(kind)}</span>`}<span><bdi>${shown}</bdi><small>${kindName}${!isFolder && ` · ${sizes}`}</small></span></a></td><td class="lo">${kindName}</td><td class="num lo">${sizes}</td><td class="lo">${changedAt && dayText(changedAt, language, now)}</td><td><a class="dl" href="${path}${isFolder ? "?zip" : "?download"}" aria-label="${label}">${icon("download")}</a></td></tr>
`;
  };
  return html`<table>
<thead><tr>${column("name", messages.name, "")}<th scope="col" class="lo">${messages.kind}</th>${column("size", messages.size, "num lo")}${column("date", messages.changed, "lo")}<th><span class="vh">${messages.download}</span></th></tr></thead>
<tbody>
${rows.map(row)}</tbody>
</table>`;
}

function parentOf(folder: string): string {
  return folder.replace(/[^/]+\/$/, "");
}

/** Encodes a key for a path, slashes kept. */
export function encodePath(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}
