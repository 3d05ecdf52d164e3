/** The page of one file of a folder: its preview between the file before and the file after it. */
import { html } from "./html.ts";
import { icon } from "./icons.ts";
import { kindText } from "./kinds.ts";
import { layout, sizeText } from "./layout.ts";
import { footerOf, type LinkFacts, viewer } from "./link-page.ts";
import { encodePath, type ListingEntry } from "./listing-page.ts";
import { fill } from "./messages/index.ts";
import type { Kind, Messages } from "./messages/types.ts";
import { availability } from "./ticket.ts";

/** What the page shows. */
export interface FilePage extends LinkFacts {
  /** The path of the folder; ends with `/`. */
  readonly folder: string;
  readonly folderTitle: string;
  readonly name: string;
  readonly kind: Kind;
  readonly contentType: string;
  readonly size?: number | undefined;
  /** The files of the folder, and the position of this one; `undefined` in a folder that is too large to sort. */
  readonly place?: { readonly at: number; readonly files: readonly ListingEntry[] } | undefined;
  readonly preview: boolean;
}

/** Renders the page of a file. */
export function filePage(messages: Messages, page: FilePage): string {
  const { folder, folderTitle, name, kind, size, place, sharedBy, expiresAt, now, address } = page;
  const path = `${folder}${encodePath(name)}`;
  const { left, until } = availability(messages, expiresAt, now);
  const known = [
    kindText(messages, kind, name),
    size !== undefined && sizeText(size, messages.language),
    sharedBy !== undefined && fill(messages.from, { sender: html`<bdi>${sharedBy}</bdi>` }),
    fill(messages.available, { left, until }),
  ];
  const facts = known.filter((one) => one !== false).map((one, at) => (at === 0 ? one : html` · ${one}`));
  const files = place?.files ?? [];
  const neighbour = (at: number, text: string, isNext: boolean) => {
    const file = files[at];
    if (file === undefined) return undefined;
    const label = html`${!isNext && icon("back")}${text}${isNext && icon("next")}`;
    return html`<a href="${folder}${encodePath(file.name)}">${label}</a>`;
  };
  const position = place && fill(messages.position, { at: place.at + 1, count: files.length });
  const shown = page.preview && viewer(path, name, page.contentType, files[place?.at ?? -1]?.picture);
  return layout(messages, {
    title: `${name} – ${folderTitle}`,
    width: "wide",
    footer: footerOf(messages, new URL(address).host),
    main: html`<div class="lead"><div><h1><bdi>${name}</bdi></h1><p class="sum">${facts}</p></div>
<a class="go" href="${path}?download">${icon("download")}${messages.download}</a></div>
<section class="view" aria-label="${messages.preview}">
<div class="bar"><nav aria-label="${messages.kinds.folder.name}"><a href="${folder}"><bdi>${folderTitle}</bdi></a> <span class="mid">${position && html`· ${position}`}</span></nav>
${files.length > 1 && html`<nav class="seg" aria-label="${messages.otherFiles}">${neighbour((place?.at ?? 0) - 1, messages.previous, false)}${neighbour((place?.at ?? 0) + 1, messages.next, true)}</nav>`}</div>
${shown}
</section>`,
  });
}
