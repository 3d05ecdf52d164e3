/** What all pages share: the document, its styles, and the headers that keep it harmless. No script, no request to another host. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Content, Html, html } from "./html.ts";
import type { Messages } from "./messages.ts";

const STYLE = `
:root{color-scheme:light dark;--fg:#1c1c1e;--mid:#5b5b63;--bg:#fff;--line:#d6d6dc;--act:#0b57d0;--on:#fff}
@media(prefers-color-scheme:dark){:root{--fg:#f2f2f4;--mid:#b4b4bd;--bg:#161618;--line:#3a3a40;--act:#a8c7fa;--on:#062e6f}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:1rem/1.5 system-ui,sans-serif}
main{max-width:52rem;margin:0 auto;padding:2rem 1rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0 0 1.5rem}
dt{color:var(--mid)}dd{margin:0;overflow-wrap:anywhere}
.act{display:inline-block;padding:.65rem 1.5rem;border:0;border-radius:.5rem;background:var(--act);color:var(--on);font:inherit;font-weight:600;text-decoration:none;cursor:pointer}
.act:focus-visible,a:focus-visible,input:focus-visible,summary:focus-visible{outline:3px solid var(--act);outline-offset:2px}
a{color:var(--act)}
label{display:block;margin-bottom:.25rem}
input[type=password]{font:inherit;padding:.6rem;width:100%;max-width:22rem;border:1px solid var(--mid);border-radius:.5rem;background:var(--bg);color:var(--fg);margin-bottom:1rem}
pre{overflow-x:auto;padding:.75rem;border:1px solid var(--line);border-radius:.5rem;white-space:pre-wrap;overflow-wrap:anywhere}
img,video,iframe{max-width:100%;border:1px solid var(--line);border-radius:.5rem}
audio{width:100%}iframe{width:100%;height:70vh}
table{width:100%;border-collapse:collapse}
th,td{text-align:start;padding:.45rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}
td:first-child{overflow-wrap:anywhere}
th:nth-child(2),td:nth-child(2){text-align:end;white-space:nowrap}
td:nth-child(3){white-space:nowrap;color:var(--mid)}
@media(max-width:34rem){th:nth-child(3),td:nth-child(3){display:none}}
.mid{color:var(--mid)}
@media print{.act,details,nav,form{display:none}}
`;
/** In the page itself, because a browser without it asks for `/favicon.ico`, which is no object, and reports an error. */
const ICON = encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect y="3" width="16" height="10" rx="2" fill="#0b57d0"/></svg>',
);
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

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

/** The headers of a page: its own style, images, media and frames of this origin, and forms that post back. */
export const PAGE_HEADERS: readonly string[] = [
  ...SAFE_HEADERS,
  "content-security-policy",
  `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src 'self' data:; media-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  "vary",
  "accept, accept-encoding, accept-language, cookie",
];

/** A whole document. */
export function layout({ language }: Pick<Messages, "language">, title: string, body: Content): string {
  return html`<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:image/svg+xml,${ICON}">
<style>${new Html(STYLE)}</style>
<main>
${body}
</main>
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

/** An instant for people, in UTC: the server does not know the reader's zone. */
export function timeText(instant: Date, language: string): Html {
  const text = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short", timeZone: "UTC" }).format(
    instant,
  );
  return html`<time datetime="${instant.toISOString()}">${text} UTC</time>`;
}
