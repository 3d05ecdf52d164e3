/** The ticket of a page: its face names the file and its sender, its stub the end, the count and the recipient. */
import { type Content, type Html, html } from "./html.ts";
import { type Icon, icon } from "./icons.ts";
import { timeText } from "./layout.ts";
import { counted, fill } from "./messages/index.ts";
import type { Kind, Messages } from "./messages/types.ts";

/** A ticket. Facts that are not known are left out, and without any, it has no stub. */
export function ticket(face: Content, facts: readonly Content[]): Html {
  const known = facts.filter((fact) => fact !== undefined && fact !== false);
  if (known.length === 0) return html`<article class="box">${face}</article>`;
  return html`<article class="pass">
<div class="face">
${face}
</div>
<div class="stub"><dl>${known}</dl></div>
</article>`;
}

/** A fact of the stub, with a detail below it. */
export function fact(name: string, value: Content, detail?: Content): Html {
  return html`<div><dt>${name}</dt><dd>${value}${detail !== undefined && html`<small>${detail}</small>`}</dd></div>`;
}

/** The heading of a ticket: an icon on its colour, the title, and one line below it. */
export function heading(tone: string, name: Icon, title: Content, text?: Content): Html {
  return html`<div class="it top-it"><span class="k ${tone}">${icon(name)}</span><div><h1>${title}</h1>
${text !== undefined && html`<p class="mid">${text}</p>`}</div></div>`;
}

/** Who sent what. */
export function sentBy(messages: Messages, kind: Kind, sender: string | undefined): Content {
  if (sender === undefined) return undefined;
  const words = sender.split(/\s+/).filter((word) => word !== "");
  const initials = words.slice(0, 2).map((word) => [...word][0]);
  return html`<p class="by"><i aria-hidden="true">${initials}</i><span>${fill(messages.kinds[kind].sent, { sender: html`<b><bdi>${sender}</bdi></b>` })}</span></p>`;
}

/** Until when, as a time and in words. */
export function availability(messages: Messages, until: Date, now: Date): { left: Content; until: Content } {
  const minutes = Math.max(0, Math.floor((until.getTime() - now.getTime()) / 60_000));
  const hours = Math.round(minutes / 60);
  const days = Math.round(hours / 24);
  const left =
    days > 1
      ? counted(messages, messages.days, days)
      : hours > 1
        ? counted(messages, messages.hours, hours)
        : counted(messages, messages.minutes, minutes);
  return { left, until: fill(messages.until, { time: timeText(until, messages.language, now) }) };
}
