/** The texts of the pages: one catalogue of plain data for each language. */
import { type Content, html } from "../html.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { fr } from "./fr.ts";
import type { Forms, Messages } from "./types.ts";

const LANGUAGES: readonly Messages[] = [en, de, fr, es];

/** The texts in the language that a browser prefers; English if it names no other known one. */
export function messagesFor(acceptLanguage: string | undefined): Messages {
  const wanted = (acceptLanguage ?? "")
    .split(",")
    .map((range) => {
      const [tag = "", ...parameters] = range.trim().toLowerCase().split(";");
      const quality = parameters.map((text) => /^\s*q=([\d.]+)\s*$/.exec(text)?.[1]).find(Boolean);
      return { language: tag.split("-")[0], quality: Number(quality ?? 1) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  const known = wanted.map((one) => LANGUAGES.find(({ language }) => language === one.language)).find(Boolean);
  return known ?? en;
}

/** A text with its placeholders filled in. A name is isolated by its caller, so that it cannot reorder the sentence. */
export function fill(text: string, values: Readonly<Record<string, Content>>): Content {
  return text.split(/(\{\w+\})/).map((part) => (part.startsWith("{") ? values[part.slice(1, -1)] : part));
}

/** The form of a text for a number. */
export function counted({ language }: Messages, forms: Forms, count: number): Content {
  const text = forms[new Intl.PluralRules(language).select(count)] ?? forms.other;
  return fill(text, { count: new Intl.NumberFormat(language).format(count) });
}

/** The numbers of files and of folders, without a number that is 0. */
export function countsText(
  messages: Messages,
  { files, folders }: { readonly files: number; readonly folders: number },
): string {
  const counts = [
    files > 0 && counted(messages, messages.files, files),
    files > 0 && folders > 0 && ", ",
    folders > 0 && counted(messages, messages.folders, folders),
  ];
  return html`${counts}`.text;
}
