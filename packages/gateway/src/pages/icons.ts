/** The icons of the pages: strokes on a grid of 24, drawn for Daypass. */
import { type Html, html, markup } from "./html.ts";

const ICONS = {
  file: '<path d="M6 3h8l4 4v14H6zM14 3v4h4"/>',
  image: '<path d="M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4"/><circle cx="15.5" cy="9" r="1.2"/>',
  video: '<path d="M3.5 6h12v12h-12zM15.5 10.5l5-3v9l-5-3"/>',
  audio: '<path d="M9 18V6l10-2v12"/><circle cx="6.5" cy="18" r="2.5"/><circle cx="16.5" cy="16" r="2.5"/>',
  text: '<path d="M6 3h12v18H6zM9 8h6M9 12h6M9 16h3.5"/>',
  pdf: '<path d="M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6"/>',
  table: '<path d="M4 5h16v14H4zM4 10h16M4 14.5h16M10 10v9"/>',
  archive: '<path d="M6 3h12v18H6zM12 3v1.5m0 2.5v1.5M10.5 12h3v4h-3z"/>',
  folder: '<path d="M3 5.5h6.5L12 8h9v11.5H3z"/>',
  set: '<path d="M9 3h7l4 4v11H9zM15.5 3v4.5H20M9 6.5H5V21h10.5v-3"/>',
  link: '<path d="M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L12 6.3M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.1-1.1"/>',
  page: '<path d="M6 21V3.5h12V21M3.5 21h17M14.5 12v1"/>',
  download: '<path d="M12 4v11.5M7.5 11.5 12 16l4.5-4.5M5 20h14"/>',
  lock: '<path d="M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3"/>',
  search: '<circle cx="11" cy="11" r="6.5"/><path d="m16 16 4.5 4.5"/>',
  list: '<path d="M4 6.5h16M4 12h16M4 17.5h16"/>',
  grid: '<path d="M4.5 4.5h6v6h-6zM13.5 4.5h6v6h-6zM4.5 13.5h6v6h-6zM13.5 13.5h6v6h-6z"/>',
  check: '<path d="m5 12.5 4.5 4.5L19 7.5"/>',
  clock: '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.5l3.5 2"/>',
  revoke: '<circle cx="12" cy="12" r="8.5"/><path d="m6 6 12 12"/>',
  alert: '<path d="M12 4 2.8 20h18.4zM12 10v4.5M12 17.2v.1"/>',
  next: '<path d="m9.5 5.5 6.5 6.5-6.5 6.5"/>',
  back: '<path d="M14.5 5.5 8 12l6.5 6.5"/>',
} as const;

/** The name of an icon. */
export type Icon = keyof typeof ICONS;

const TICKET =
  '<path fill="#3350d1" d="M4 5h16a2 2 0 0 1 2 2v2.5a2.5 2.5 0 0 0 0 5V17a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2v-2.5a2.5 2.5 0 0 0 0-5V7a2 2 0 0 1 2-2z"/><path fill="#f5a524" d="M6.75 16a5.25 5.25 0 0 1 10.5 0z"/>';

/** Daypass's mark: a ticket with the sun at the horizon. */
export const MARK: Html = html`<svg viewBox="2 5 20 14" aria-hidden="true">${markup(TICKET)}</svg>`;

/** The mark in the page itself, because a browser without an icon asks for `/favicon.ico`, which is no object, and reports an error. */
export const FAVICON: string = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">${TICKET}</svg>`)}`;

/** An icon that says nothing which the text beside it does not say. */
export function icon(name: Icon): Html {
  return html`<svg aria-hidden="true"><use href="#${name}"/></svg>`;
}

/** The icon is as large as in a row, or in a tile. Chromium takes no size of an inner `svg` from a style. */
const TILE_STYLE =
  "svg{color:#7a3fb8}rect{fill:#eee6f6;stroke:none}@media(prefers-color-scheme:dark){svg{color:#c9a2f5}rect{fill:#322e3f}}g{transform:scale(.83) translate(-12px,-12px)}@media(min-width:64px){g{transform:scale(1.67) translate(-12px,-12px)}}";

/** The icon as a picture of any size, in the place of a thumbnail: it looks like the tiles of the page. */
export function tile(name: Icon): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"><style>${TILE_STYLE}</style><rect width="100%" height="100%"/><svg x="50%" y="50%" overflow="visible"><g>${ICONS[name]}</g></svg></svg>`;
}

/** The drawings of the icons that a page uses, each once. */
export function sprite(page: string): Html | undefined {
  const used = new Set(Array.from(page.matchAll(/<use href="#(\w+)"/g), ([, name]) => name as Icon));
  if (used.size === 0) return undefined;
  return html`<svg hidden>${[...used].map((name) => html`<symbol id="${name}" viewBox="0 0 24 24">${markup(ICONS[name])}</symbol>`)}</svg>`;
}
