/** The page of a link to a prefix: folders, files, sizes and dates, sorted as the reader asks. */
import { html } from "./html.ts";
import { layout, sizeText, timeText } from "./layout.ts";
import type { Messages } from "./messages.ts";

/** A column by which a listing is sorted. */
export type SortColumn = "name" | "size" | "date";

/** One row. A folder has no size and no date. */
export interface ListingEntry {
  /** The name below the folder that is shown; a folder's ends with `/`. */
  readonly name: string;
  readonly size?: number | undefined;
  readonly changedAt?: Date | undefined;
}

/** What the page shows. */
export interface ListingPage {
  readonly title: string;
  /** The path of the folder that is shown; ends with `/`. */
  readonly path: string;
  /** The path of the link's own folder. */
  readonly root: string;
  readonly entries: readonly ListingEntry[];
  readonly sort: SortColumn;
  readonly descending: boolean;
  /** The offset of the next rows; `undefined` at the end. */
  readonly next?: number | undefined;
  readonly isTruncated: boolean;
  readonly note?: string | undefined;
  readonly sharedBy?: string | undefined;
  readonly expiresAt: Date;
}

const ROWS_PER_PAGE = 200;
/** Encoded bytes of the names of one page. */
const NAMES_PER_PAGE = 8000;

/** The rows of one page. With more or longer names, the compressed page would not fit the first congestion window. */
export function rowsFrom(entries: readonly ListingEntry[], from: number): readonly ListingEntry[] {
  const rows: ListingEntry[] = [];
  let bytes = 0;
  for (const entry of entries.slice(from, from + ROWS_PER_PAGE)) {
    bytes += encodePath(entry.name).length;
    if (bytes > NAMES_PER_PAGE && rows.length > 0) break;
    rows.push(entry);
  }
  return rows;
}

/** Renders the page of a folder. */
export function listingPage(messages: Messages, page: ListingPage): string {
  const { title, path, root, entries, sort, descending, next, note, sharedBy, expiresAt } = page;
  const { language } = messages;
  const heading = (column: SortColumn, text: string) => {
    const isCurrent = column === sort;
    const order = isCurrent && !descending ? "&order=desc" : "";
    const direction = isCurrent ? (descending ? "descending" : "ascending") : "none";
    return html`<th scope="col" aria-sort="${direction}"><a href="${path}?sort=${column}${order}">${text}</a></th>`;
  };
  const rows = entries.map(
    ({ name, size, changedAt }) => html`<tr><td><a href="${path}${encodePath(name)}"><bdi>${name}</bdi></a></td>
<td>${size === undefined ? "" : sizeText(size, language)}</td><td>${changedAt && timeText(changedAt, language)}</td></tr>
`,
  );
  return layout(
    messages,
    title,
    html`<h1><bdi>${title}</bdi></h1>
<dl>
${sharedBy !== undefined && html`<dt>${messages.from}</dt><dd><bdi>${sharedBy}</bdi></dd>`}
<dt>${messages.expires}</dt><dd>${timeText(expiresAt, language)}</dd>
${note !== undefined && html`<dt>${messages.note}</dt><dd><bdi>${note}</bdi></dd>`}
</dl>
<p><a class="act" href="${path}?zip">${messages.zip}</a></p>
${path !== root && html`<nav><a href="${path.replace(/[^/]+\/$/, "")}">${messages.up}</a></nav>`}
${
  entries.length === 0
    ? html`<p>${messages.empty}</p>`
    : html`<table>
<thead><tr>${heading("name", messages.name)}${heading("size", messages.size)}${heading("date", messages.date)}</tr></thead>
<tbody>
${rows}</tbody>
</table>`
}
${page.isTruncated && html`<p class="mid">${messages.truncated}</p>`}
${next !== undefined && html`<nav><a href="${path}?sort=${sort}${descending ? "&order=desc" : ""}&from=${next}">${messages.more}</a></nav>`}`,
  );
}

/** Encodes a key for a path, slashes kept. */
export function encodePath(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}
