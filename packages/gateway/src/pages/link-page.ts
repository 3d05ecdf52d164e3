/** The page of a link to one object: what it is, how long it lasts, a preview, and the button. */
import { type Content, html } from "./html.ts";
import { layout, sizeText, timeText } from "./layout.ts";
import type { Messages } from "./messages.ts";

/** What the page shows. */
export interface LinkPage {
  /** The path of the link, without an origin. */
  readonly path: string;
  /** The whole address, for the command. */
  readonly address: string;
  readonly name: string;
  /** Bytes; `undefined` for a folder. */
  readonly size?: number | undefined;
  readonly contentType?: string | undefined;
  readonly label?: string | undefined;
  readonly note?: string | undefined;
  readonly sharedBy?: string | undefined;
  readonly expiresAt: Date;
  /** Deliveries that are left; `undefined` if they are not counted. */
  readonly left?: number | undefined;
  /** A fresh claim key, if opening counts. */
  readonly claimKey?: string | undefined;
  /** The path of the delivery that this browser has taken. */
  readonly delivery?: string | undefined;
  /** Proves that the password was right. */
  readonly proof?: string | undefined;
  readonly preview: boolean;
}

/** Renders the page of an object. */
export function linkPage(messages: Messages, page: LinkPage): string {
  const { name, size, contentType, label, note, sharedBy, expiresAt, left } = page;
  const { language } = messages;
  return layout(
    messages,
    label ?? name,
    html`<h1><bdi>${label ?? name}</bdi></h1>
<dl>
<dt>${messages.name}</dt><dd><bdi>${name}</bdi></dd>
${size !== undefined && html`<dt>${messages.size}</dt><dd>${sizeText(size, language)}</dd>`}
${contentType !== undefined && html`<dt>${messages.type}</dt><dd>${contentType}</dd>`}
${sharedBy !== undefined && html`<dt>${messages.from}</dt><dd><bdi>${sharedBy}</bdi></dd>`}
<dt>${messages.expires}</dt><dd>${timeText(expiresAt, language)}</dd>
${left !== undefined && html`<dt>${messages.left}</dt><dd>${left}</dd>`}
${note !== undefined && html`<dt>${messages.note}</dt><dd><bdi>${note}</bdi></dd>`}
</dl>
${action(messages, page)}
${page.preview && preview(messages, page)}`,
  );
}

function action(messages: Messages, page: LinkPage): Content {
  const { path, address, name, claimKey, delivery, proof, size, left } = page;
  const [visit, download] = left === undefined ? [messages.visit, undefined] : [messages.visitOnce, messages.once];
  const effect = size === undefined ? visit : download;
  if (delivery !== undefined)
    return html`<p><a class="act" href="${delivery}">${messages.download}</a></p><p class="mid">${messages.taken}</p>`;
  if (claimKey === undefined) return html`<p><a class="act" href="${path}?download">${messages.download}</a></p>`;
  return html`<form method="post" action="${path}">
<input type="hidden" name="claim" value="${claimKey}">
${proof !== undefined && html`<input type="hidden" name="proof" value="${proof}">`}
<p><button class="act">${size === undefined ? messages.open : messages.download}</button></p>
</form>
${effect !== undefined && html`<p class="mid">${effect}</p>`}
${
  size !== undefined &&
  proof === undefined &&
  html`<details><summary>${messages.command}</summary>
<pre>${downloadCommand(name, `${address}?dl=${claimKey}`)}</pre>
</details>`
}`;
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
const VIEWERS: readonly (readonly [RegExp, (path: string, name: string) => Content])[] = [
  [/^image\/(?:png|jpeg|gif|webp|avif)$/, (path, name) => html`<img src="${path}?view" alt="${name}" loading="lazy">`],
  [/^video\//, (path) => html`<video src="${path}?view" controls preload="metadata"></video>`],
  [/^audio\//, (path) => html`<audio src="${path}?view" controls preload="metadata"></audio>`],
  [
    /^(?:application\/pdf|text\/plain)(?:;|$)/,
    (path, name) => html`<iframe src="${path}?view" title="${name}"></iframe>`,
  ],
];

function preview(messages: Messages, { path, name, contentType = "" }: LinkPage): Content {
  const viewer = VIEWERS.find(([type]) => type.test(contentType))?.[1];
  return viewer && html`<h2>${messages.preview}</h2>${viewer(path, name)}`;
}

/** Whether a type may be shown in the page. */
export function isViewable(contentType: string): boolean {
  return VIEWERS.some(([type]) => type.test(contentType));
}

/** The page that asks for the password of a link. It shows nothing of the link. */
export function passwordPage(messages: Messages, { path, isWrong }: { path: string; isWrong: boolean }): string {
  return layout(
    messages,
    messages.password,
    html`<h1>${messages.password}</h1>
${isWrong && html`<p role="alert">${messages.wrongPassword}</p>`}
<form method="post" action="${path}">
<label for="password">${messages.password}</label>
<input id="password" name="password" type="password" autocomplete="off" required maxlength="256" autofocus>
<p><button class="act">${messages.enter}</button></p>
</form>`,
  );
}
