import type { FormToExplain } from "daypass/explain";
import { isObject } from "daypass/schemes";
import { CommandError } from "../../command.ts";
import { parseSecretJson } from "../../files.ts";

/**
 * Reads a form as `daypass sign` prints it (`--as html-form`, `--json`, a line of `--batch`), as an SDK returns it (`url` and
 * `fields`), or as the HTML of a page. If fields are a list of pairs, their order matters.
 */
export function formFromText(option: string, text: string): FormToExplain {
  const form = text.trimStart().startsWith("<") ? htmlForm(text) : jsonForm(text);
  if (form !== undefined) return form;
  throw new CommandError(
    `${option} is neither JSON with url and fields nor an HTML form with action and inputs. Paste the whole form`,
  );
}

function jsonForm(text: string): FormToExplain | undefined {
  const value = parseSecretJson(text);
  if (!isObject(value)) return undefined;
  const { url, fields } = value;
  return typeof url === "string" && areFields(fields) ? { url, fields } : undefined;
}

function areFields(fields: unknown): fields is FormToExplain["fields"] {
  if (isObject(fields)) return Object.values(fields).every((value) => typeof value === "string");
  return Array.isArray(fields) && fields.every(isPair);
}

function isPair(item: unknown): boolean {
  return Array.isArray(item) && item.length === 2 && item.every((part) => typeof part === "string");
}

// Names and bare values stop at the next tag. Otherwise a page of unclosed tags would take quadratic time.
const TAG = /<(form|input)((?:\s+[^\s=<>]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?)*)\s*\/?>/gi;
const ATTRIBUTE = /([^\s=>]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g;

/** The first form of a page, and its inputs in order. Buttons and inputs without a name send nothing. */
function htmlForm(text: string): FormToExplain | undefined {
  let url: string | undefined;
  const fields: (readonly [string, string])[] = [];
  for (const [, tag = "", inside = ""] of text.matchAll(TAG)) {
    const attributes = new Map(
      [...inside.matchAll(ATTRIBUTE)].map(([, name = "", ...values]) => [
        name.toLowerCase(),
        plain(values.find((value) => value !== undefined) ?? ""),
      ]),
    );
    const name = attributes.get("name");
    if (tag.toLowerCase() === "form") url ??= attributes.get("action");
    else if (name) fields.push([attributes.get("type") === "file" ? "file" : name, attributes.get("value") ?? ""]);
  }
  return url === undefined || fields.length === 0 ? undefined : { url, fields };
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  quot: '"',
  amp: "&",
  apos: "'",
  "#39": "'",
  "#34": '"',
};

function plain(text: string): string {
  return text.replace(/&(lt|gt|quot|amp|apos|#39|#34);/g, (_, name: string) => ENTITIES[name] as string);
}
