/** The page of a link: its name and sender, the button, its end, and a preview. */
import { type Content, html } from "./html.ts";
import { icon } from "./icons.ts";
import { kindText, TONES } from "./kinds.ts";
import { layout, sizeText } from "./layout.ts";
import { counted, fill } from "./messages/index.ts";
import type { Kind, Messages } from "./messages/types.ts";
import { availability, fact, heading, sentBy, ticket } from "./ticket.ts";

/** The size of a picture, in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What every page of a link shows. */
export interface LinkFacts {
  readonly now: Date;
  /** The path of the link, without an origin. */
  readonly path: string;
  /** The whole address, for the command. */
  readonly address: string;
  readonly label?: string | undefined;
  readonly note?: string | undefined;
  readonly sharedBy?: string | undefined;
  /** The name of the recipient. */
  readonly recipient?: string | undefined;
  readonly expiresAt: Date;
  /** Deliveries that are left, of how many; `undefined` if they are not counted. */
  readonly deliveries?: { readonly left: number; readonly max: number } | undefined;
}

/** What the page of a file, a folder before its visit or a route shows. */
export interface LinkPage extends LinkFacts {
  readonly kind: Kind;
  /** The name of a file, the title of a folder, the host of a route. */
  readonly name: string;
  /** Bytes of a file. */
  readonly size?: number | undefined;
  readonly contentType?: string | undefined;
  /** A fresh claim key, if opening counts. */
  readonly claimKey?: string | undefined;
  /** The path of the delivery that this browser has taken. */
  readonly delivery?: string | undefined;
  /** Until when that delivery may continue; `undefined` before it has begun. */
  readonly continuesUntil?: Date | undefined;
  /** Proves that the password was right. */
  readonly proof?: string | undefined;
  readonly preview: boolean;
}

/** Renders the page of a link. */
export function linkPage(messages: Messages, page: LinkPage): string {
  const { kind, name, label, note, sharedBy, delivery, address } = page;
  const title = label ?? name;
  const shown = page.preview && preview(messages, page);
  const face =
    delivery === undefined
      ? html`${sentBy(messages, kind, sharedBy)}
${heading(TONES[kind], kind, html`<bdi>${title}</bdi>`, details(messages, page))}
${note !== undefined && html`<blockquote class="note"><bdi>${note}</bdi></blockquote>`}
${action(messages, page)}`
      : html`${heading("ok", "check", messages.taken, messages.takenText)}
<p class="note"><b><bdi>${title}</bdi></b><br><span class="mid">${details(messages, page)}</span></p>
<a class="alt" href="${delivery}">${icon("download")}${messages.again}</a>
<p class="hint mid">${messages.takenHint}</p>`;
  return layout(messages, {
    title: sharedBy === undefined ? title : `${title} – ${sharedBy}`,
    width: shown ? "duo" : undefined,
    footer: footerOf(messages, new URL(address).host),
    main: html`${ticket(face, delivery === undefined ? linkFacts(messages, page) : takenFacts(messages, page))}
${shown}
${
  delivery === undefined &&
  command(page) &&
  html`<details><summary>${messages.command}</summary>
<pre tabindex="0">${command(page)}</pre></details>`
}`,
  });
}

/** The stub of a link. */
export function linkFacts(messages: Messages, page: LinkFacts & { readonly size?: number | undefined }): Content[] {
  const { expiresAt, now, deliveries, recipient } = page;
  const { left, until } = availability(messages, expiresAt, now);
  return [
    fact(messages.availableFor, left, until),
    deliveries &&
      fact(
        page.size === undefined ? messages.visits : messages.downloads,
        counted(messages, messages.left, deliveries.left),
        fill(messages.of, { count: deliveries.max }),
      ),
    recipient !== undefined && fact(messages.recipient, html`<bdi>${recipient}</bdi>`),
  ];
}

/** The stub after a delivery was taken: how long it may continue, and what is left for others. */
function takenFacts(messages: Messages, { continuesUntil, now, deliveries }: LinkPage): Content[] {
  const { left, until } = availability(messages, continuesUntil ?? now, now);
  const isLast = deliveries?.left === 0;
  return [
    continuesUntil !== undefined && fact(messages.continues, left, until),
    deliveries &&
      fact(
        messages.downloads,
        isLast ? messages.noneLeft : counted(messages, messages.left, deliveries.left),
        isLast ? messages.wasLast : fill(messages.of, { count: deliveries.max }),
      ),
  ];
}

/** The last line of a page: the server, and a warning. */
export function footerOf(messages: Messages, host: string): Content {
  return html`<bdi>${host}</bdi> · ${messages.footer}`;
}

/** The kind in words, and the size. */
function details(messages: Messages, { kind, name, label, size }: LinkPage): Content {
  if (kind === "page") return label === undefined ? undefined : fill(messages.pageOn, { host: name });
  const facts = [kindText(messages, kind, name), size !== undefined && sizeText(size, messages.language)];
  const text = facts.filter(Boolean).join(" · ");
  return label === undefined || label === name || size === undefined ? text : html`<bdi>${name}</bdi> · ${text}`;
}

function action(messages: Messages, { path, kind, claimKey, proof, deliveries, size }: LinkPage): Content {
  const isFile = size !== undefined;
  const text = isFile
    ? html`${icon("download")}${messages.download}`
    : html`${messages.open}${kind === "page" && icon("next")}`;
  if (claimKey === undefined) return html`<a class="go" href="${path}?download">${text}</a>`;
  const once = deliveries?.max === 1 ? messages.once : messages.counts;
  const visit = deliveries === undefined ? messages.visit : messages.visitCounts;
  return html`<form method="post" action="${path}">
<input type="hidden" name="claim" value="${claimKey}">
${proof !== undefined && html`<input type="hidden" name="proof" value="${proof}">`}
<button class="go">${text}</button>
</form>
${(deliveries !== undefined || kind === "page" || !isFile) && html`<p class="hint mid">${isFile ? once : visit}</p>`}`;
}

/** The command that takes the file; `undefined` if the link has a password, or is no file. */
function command({ name, address, claimKey, proof, size }: LinkPage): string | undefined {
  if (size === undefined || proof !== undefined) return undefined;
  return downloadCommand(name, claimKey === undefined ? address : `${address}?dl=${claimKey}`);
}

/** The command that takes a delivery, and continues it if it runs again. `options` stand before the address. */
export function downloadCommand(name: string, url: string, options = ""): string {
  return `curl -fL -C - ${options}-o ${shellWord(name)} ${shellWord(url)}`;
}

/** A word for a POSIX shell. A name that begins with a hyphen would be read as an option. */
function shellWord(text: string): string {
  const safe = text.replace(/[\p{Cc}\p{Cf}]/gu, "_").replace(/^-/, "./-");
  return `'${safe.replaceAll("'", "'\\''")}'`;
}

// Types that a browser shows without running anything in them.
const PICTURES = /^image\/(?:png|jpeg|gif|webp|avif)$/;
const VIEWERS: readonly (readonly [RegExp, (path: string, name: string, size?: Partial<PictureSize>) => Content])[] = [
  [
    PICTURES,
    (path, name, { width, height } = {}) =>
      html`<img src="${path}?view"${width !== undefined && html` width="${width}" height="${height}"`} alt="${name}" loading="lazy">`,
  ],
  [/^video\//, (path) => html`<video src="${path}?view" controls preload="metadata"></video>`],
  [/^audio\//, (path) => html`<audio src="${path}?view" controls preload="metadata"></audio>`],
  [
    /^(?:application\/pdf|text\/plain)(?:;|$)/,
    (path, name) => html`<iframe src="${path}?view" title="${name}"></iframe>`,
  ],
];

function preview(messages: Messages, { path, name, contentType = "" }: LinkPage): Content {
  const shown = viewer(path, name, contentType);
  return shown && html`<section class="view" aria-label="${messages.preview}">${shown}</section>`;
}

/** What shows a file in its page; `undefined` if a browser might run something in it. */
export function viewer(path: string, name: string, contentType: string, size?: Partial<PictureSize>): Content {
  return VIEWERS.find(([type]) => type.test(contentType))?.[1](path, name, size);
}

/** Whether a type may be shown in the page. */
export function isViewable(contentType: string): boolean {
  return VIEWERS.some(([type]) => type.test(contentType));
}

/** Whether a browser may show the bytes as a picture. */
export function isPicture(contentType: string): boolean {
  return PICTURES.test(contentType);
}

/** What the page that asks for a password shows. */
export interface PasswordPage {
  readonly path: string;
  readonly host: string;
  readonly isWrong: boolean;
  /** Only if the owner shows it. */
  readonly sender?: string | undefined;
}

/** The page that asks for the password of a link. It shows nothing of the link. */
export function passwordPage(messages: Messages, { path, host, isWrong, sender }: PasswordPage): string {
  const face = html`${sender !== undefined && sentBy(messages, "link", sender)}
${heading("no", "lock", messages.passwordTitle, messages.passwordText)}
<form method="post" action="${path}">
<label for="password">${messages.password}</label>
<input id="password" name="password" type="password" autocomplete="off" required maxlength="256" autofocus${isWrong && html` aria-invalid="true" aria-describedby="wrong"`}>
${isWrong && html`<p class="err" id="wrong" role="alert">${messages.wrongPassword}</p>`}
<button class="go">${messages.open}</button>
</form>`;
  return layout(messages, {
    title: messages.passwordTitle,
    main: ticket(face, []),
    footer: footerOf(messages, host),
  });
}
