/** What all pages share: the document, its headers, and numbers and times for people. No request to another host. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Content, type Html, html, markup } from "./html.ts";
import { FAVICON, MARK, sprite } from "./icons.ts";
import type { Messages } from "./messages/types.ts";
import { STYLE } from "./style.ts";

/** Times in the reader's zone and language. Without it, the page has them in UTC. */
const LOCAL_TIME = `for(const t of document.querySelectorAll("time")){const d=new Date(t.dateTime),y=d.getFullYear()!=new Date().getFullYear();t.textContent=new Intl.DateTimeFormat(navigator.languages.filter(l=>l.startsWith(document.documentElement.lang)),{...(y?{year:"numeric"}:{}),day:"numeric",month:"short",...(t.className?{}:{hour:"numeric",minute:"2-digit"})}).format(d)}`;

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** The headers of every page and of every answer about a link. */
export const SAFE_HEADERS: readonly string[] = [
  "cache-control",
  "no-store",
  "referrer-policy",
  "no-referrer",
  "x-robots-tag",
  "noindex",
  "x-content-type-options",
  "nosniff",
];

/** The headers of a page: its own style and script, images, media and frames of this origin, and forms that post back. */
export const PAGE_HEADERS: readonly string[] = [
  ...SAFE_HEADERS,
  "content-security-policy",
  `default-src 'none'; style-src ${hashOf(STYLE)}; script-src ${hashOf(LOCAL_TIME)}; img-src 'self' data:; media-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  "vary",
  "accept, accept-encoding, accept-language, cookie, user-agent",
];

/** The parts of a page. */
export interface Layout {
  readonly title: string;
  readonly main: Content;
  /** `duo` for a ticket beside a preview, `wide` for a list. */
  readonly width?: "duo" | "wide" | undefined;
  readonly footer?: Content;
}

/** A whole document. */
export function layout(
  { language, direction }: Pick<Messages, "language" | "direction">,
  { title, main, width, footer }: Layout,
): string {
  const body = html`<header class="top"><span class="brand">${MARK}Daypass</span></header>
<main${width !== undefined && html` class="${width}"`}>
${main}
</main>
<footer>${footer}</footer>`;
  return html`<!doctype html>
<html lang="${language}"${direction !== undefined && html` dir="${direction}"`}>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="description" content="${title}">
<title>${title}</title>
<link rel="icon" href="${FAVICON}">
<style>${markup(STYLE)}</style>
${sprite(body.text)}
${body}
<script>${markup(LOCAL_TIME)}</script>
</html>
`.text;
}

/** The bytes of a page, as the browser accepts them. Every secret in a page is new, so its compressed size reveals none (BREACH). */
export function encodePage(text: string, accepted: string): { bytes: Uint8Array; coding: readonly string[] } {
  if (!/(?:^|,)\s*gzip\s*(?:,|$)/i.test(accepted)) return { bytes: Buffer.from(text), coding: [] };
  return { bytes: gzipSync(text), coding: ["content-encoding", "gzip"] };
}

/** A number of bytes for people. */
export function sizeText(bytes: number, language: string): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const unit = units[power];
  return new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: 1 }).format(
    bytes / 1000 ** power,
  );
}

/** An instant for people, in UTC: the server does not know the reader's zone. The year is left out if it is the present one. */
export function timeText(instant: Date, language: string, now?: Date): Html {
  const year = instant.getUTCFullYear() === now?.getUTCFullYear() ? undefined : "numeric";
  const format = { year, month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC" } as const;
  return html`<time datetime="${instant.toISOString()}">${new Intl.DateTimeFormat(language, format).format(instant)} UTC</time>`;
}

/** How long an instant is away, in words. */
export function relativeText(instant: Date, language: string, now: Date): string {
  const minutes = Math.round((instant.getTime() - now.getTime()) / 60_000);
  const hours = Math.round(minutes / 60);
  const days = Math.round(hours / 24);
  const format = new Intl.RelativeTimeFormat(language);
  if (Math.abs(days) > 1) return format.format(days, "day");
  return Math.abs(hours) > 1 ? format.format(hours, "hour") : format.format(minutes, "minute");
}

/** The day of an instant, in UTC. */
export function dayText(instant: Date, language: string, now: Date): Html {
  const year = instant.getUTCFullYear() === now.getUTCFullYear() ? undefined : "numeric";
  const text = new Intl.DateTimeFormat(language, { year, month: "short", day: "numeric", timeZone: "UTC" });
  return html`<time class="day" datetime="${instant.toISOString()}">${text.format(instant)}</time>`;
}
