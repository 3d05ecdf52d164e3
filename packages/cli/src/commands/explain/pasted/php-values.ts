import { endOfValue, endOfValues, literal } from "./object-text.ts";
import type { UrlPlace } from "./url-place.ts";

/** An argument of a call in PHP, or an item of an array, and where it stands. */
export interface Item {
  /** As it is written; empty where the array has none. */
  readonly name: string;
  readonly value: string;
  readonly from: number;
  readonly to: number;
}

const MAX_ITEMS = 100;

/** The arguments of a call, or the items of an array, from behind its bracket on. */
export function itemsAt(text: string, begin: number): readonly Item[] {
  const items: Item[] = [];
  for (let from = begin; items.length < MAX_ITEMS; ) {
    const to = endOfValue(text, from);
    const [, name = "", value = ""] =
      /^\s*(?:((?:'[^']*'|"[^"]*"|\w+))\s*=>)?([\s\S]*)$/.exec(text.slice(from, to)) ?? [];
    if (value.trim() !== "") items.push({ name, value: value.trim(), from, to });
    if (text.charAt(to) !== ",") break;
    from = to + 1;
  }
  return items;
}

export const ARRAY: RegExp = /^(?:\[|array\s*\()/;

/** The items of an array, or of the variable that was given one, once. `undefined` for all else. */
export function arrayOf(text: string, value: string | undefined): readonly Item[] | undefined {
  const [opened] = ARRAY.exec(value ?? "") ?? [];
  if (value !== undefined && opened !== undefined) return arrayAt(value, opened.length, /^$/);
  if (value === undefined || !/^\$\w+$/.test(value)) return undefined;
  const name = `\\${value}`;
  const given = [...text.matchAll(new RegExp(`${name}\\s*=(?![=>])\\s*(?:\\[|array\\s*\\()`, "g"))];
  const isChanged = new RegExp(
    `${name}\\s*(?:\\[[^\\n]{0,80}\\]\\s*=(?!=)|=\\s*array_|\\[\\]\\s*=|\\+=)|\\barray_(?:push|unshift)\\(\\s*${name}\\b`,
  ).test(text);
  const [only] = given;
  return given.length !== 1 || only === undefined || isChanged
    ? undefined
    : arrayAt(text, only.index + only[0].length, /^\s*(?:;|$)/);
}

/** The items of an array from behind its bracket on. `undefined` where something else stands behind it, which may add to it. */
function arrayAt(text: string, begin: number, behind: RegExp): readonly Item[] | undefined {
  const end = endOfValues(text, begin) + 1;
  return behind.test(text.slice(end, end + 50)) ? itemsAt(text, begin) : undefined;
}

/** What a text says. `undefined` where a variable stands in it. */
export function said(value: string | undefined): string | undefined {
  return value?.startsWith('"') && /\$[\w{]|\{\$/.test(value) ? undefined : literal(value);
}

/** Whether an argument is the URL, or the variable that it was given to. */
export function isUrl({ value, from, to }: Item, { index }: UrlPlace, variable: string | undefined): boolean {
  return (index >= from && index < to) || (variable !== undefined && value === `$${variable}`);
}

/** The items of the array that an argument is, or of its variable's, with their places in the text. */
export function arrayAtItem(text: string, { value, from }: Item): readonly Item[] | undefined {
  const [opened] = ARRAY.exec(value) ?? [];
  if (opened === undefined || arrayOf(text, value) === undefined) return arrayOf(text, value);
  return itemsAt(text, text.indexOf(value, from) + opened.length);
}
