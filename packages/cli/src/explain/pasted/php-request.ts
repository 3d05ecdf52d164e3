import { endOfValue, endOfValues, literal } from "./object-text.ts";
import { headerRecord, type SentParts } from "./sent-parts.ts";
import { type UrlPlace, variableOf } from "./url-place.ts";

/** The request of PHP's curl functions, or of a call of Guzzle, to a URL. */
export function phpRequest(place: UrlPlace): SentParts | undefined {
  // Of PHP nothing is without it.
  return place.text.includes("$") ? (curlFunctions(place) ?? guzzleCall(place)) : undefined;
}

interface Item {
  /** As it is written; empty where the array has none. */
  readonly name: string;
  readonly value: string;
  readonly from: number;
  readonly to: number;
}

const MAX_ITEMS = 100;
// Each looks through the whole text.
const MAX_LOOKUPS = 8;

/** The arguments of a call, or the items of an array, from behind its bracket on. */
function itemsAt(text: string, begin: number): readonly Item[] {
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

const ARRAY = /^(?:\[|array\s*\()/;

/** The items of an array, or of the variable that was given one, once. `undefined` for all else. */
function arrayOf(text: string, value: string | undefined): readonly Item[] | undefined {
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
function said(value: string | undefined): string | undefined {
  return value?.startsWith('"') && /\$[\w{]|\{\$/.test(value) ? undefined : literal(value);
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(?:true|1)$/i.test(value);
}

/** Whether an argument is the URL, or the variable that it was given to. */
function isUrl({ value, from, to }: Item, { index }: UrlPlace, variable: string | undefined): boolean {
  return (index >= from && index < to) || (variable !== undefined && value === `$${variable}`);
}

const OPTION = /\bcurl_setopt(_array)?\(\s*(\$\w+)\s*,\s*|(\$\w+)\s*=\s*curl_init\(\s*/g;

/** The beginning of a line that is none of the program. */
const COMMENT = /(?:^|\n)[ \t]*(?:\/\/|#|\*)[^\n]*$/;

/** All options of the handle that has the URL. */
function curlFunctions(place: UrlPlace): SentParts | undefined {
  const { text } = place;
  const variable = variableOf(place);
  const handles = new Map<string, Map<string, string>>();
  let found: string | undefined;
  let behind = 0;
  let lookups = 0;
  for (const { index, 0: all, 1: array, 2: set, 3: made } of text.matchAll(OPTION)) {
    // What stands in an argument is no call of its own; and calls that nobody closes cost no more than their length.
    if (index < behind || COMMENT.test(text.slice(Math.max(0, index - 200), index))) continue;
    const handle = set ?? made ?? "";
    const items = itemsAt(text, index + all.length);
    behind = items.at(-1)?.to ?? index;
    // A handle that is made anew has none of the options of before.
    const options = made === undefined ? (handles.get(handle) ?? new Map<string, string>()) : new Map<string, string>();
    if (made !== undefined && found === handle) break;
    handles.set(handle, options);
    if (made !== undefined) {
      if (items.some((item) => isUrl(item, place, variable))) found = handle;
      continue;
    }
    const [first, second] = items;
    const pairs =
      array === undefined
        ? first && second && [{ name: first.value, value: second.value, from: second.from, to: second.to }]
        : first && (ARRAY.test(first.value) || ++lookups < MAX_LOOKUPS)
          ? inText(text, first)
          : undefined;
    // An item whose name cannot be read has a comment in front, in which anything may stand.
    if (array !== undefined && (pairs === undefined || pairs.some(({ name }) => name === ""))) options.set(UNTOLD, "");
    for (const item of pairs ?? []) {
      options.set(item.name, item.value);
      if (item.name === "CURLOPT_URL" && isUrl(item, place, variable)) found = handle;
    }
  }
  const options = found === undefined ? undefined : handles.get(found);
  return options === undefined ? undefined : ofOptions(text, options);
}

/** Stands for options that nobody can tell. */
const UNTOLD = "…";

/** The items of an array that stands in a text, or in a variable, with their places there. */
function inText(text: string, { value, from }: Item): readonly Item[] | undefined {
  const [opened] = ARRAY.exec(value) ?? [];
  if (opened === undefined || arrayOf(text, value) === undefined) return arrayOf(text, value);
  return itemsAt(text, text.indexOf(value, from) + opened.length);
}

function ofOptions(text: string, options: ReadonlyMap<string, string>): SentParts {
  if (options.has(UNTOLD)) return {};
  const fields = options.get("CURLOPT_POSTFIELDS");
  const custom = options.get("CURLOPT_CUSTOMREQUEST");
  const isPut = isTrue(options.get("CURLOPT_PUT")) || isTrue(options.get("CURLOPT_UPLOAD"));
  const isPost = fields !== undefined || isTrue(options.get("CURLOPT_POST"));
  const implied = isPut ? "PUT" : isPost ? "POST" : isTrue(options.get("CURLOPT_NOBODY")) ? "HEAD" : "GET";
  const method = custom === undefined ? implied : said(custom)?.toUpperCase();
  const isLogin = ["CURLOPT_USERPWD", "CURLOPT_USERNAME", "CURLOPT_XOAUTH2_BEARER"].some((name) => options.has(name));
  const given = options.get("CURLOPT_HTTPHEADER");
  const items = given === undefined ? [] : arrayOf(text, given);
  const lines = items?.map(({ value }) => said(value));
  if (isLogin || lines === undefined || lines.some((line) => !line?.includes(":"))) return { method };
  const pairs = lines.map(
    (line = "") => [line.slice(0, line.indexOf(":")).trim(), line.slice(line.indexOf(":") + 1).trim()] as const,
  );
  // One without a value curl leaves out, and calls nothing so of its own accord.
  const headers = headerRecord(pairs.filter(([, value]) => value !== ""));
  const isTyped = pairs.some(([name]) => name.toLowerCase() === "content-type");
  if (isTyped || !isPost || (isPut && fields === undefined)) return { method, headers };
  // What is a text curl calls a form, whatever stands in it; an array makes one of several parts.
  const isText =
    !isPut &&
    (fields === undefined ||
      literal(fields) !== undefined ||
      /^(?:json_encode|file_get_contents|http_build_query)\(/.test(fields));
  return isText ? { method, headers: { "content-type": "application/x-www-form-urlencoded", ...headers } } : { method };
}

const GUZZLE =
  /\$[\w>-]+->(?:(request|requestAsync)|(get|head|put|post|delete|patch)(?:Async)?)\(\s*|\bnew (?:\\?GuzzleHttp\\Psr7\\)?Request\(\s*/g;

function guzzleCall(place: UrlPlace): SentParts | undefined {
  const { text } = place;
  const variable = variableOf(place);
  let behind = 0;
  for (const { index, 0: all, 1: asked, 2: verb } of text.matchAll(GUZZLE)) {
    if (index < behind) continue;
    const items = itemsAt(text, index + all.length);
    behind = items.at(-1)?.to ?? index;
    const at = items.findIndex((item) => isUrl(item, place, variable));
    if (at < 0) continue;
    const told = verb ?? said(items[0]?.value);
    const method = told?.toUpperCase();
    const rest = items[at + 1];
    // A client may have headers of its own.
    if (
      /\bnew (?:\\?GuzzleHttp\\)?Client\(\s*(?:\[|array\s*\()[^;]{0,1000}?['"](?:headers|auth|query)['"]\s*=>/.test(
        text,
      )
    )
      return { method };
    if (asked === undefined && verb === undefined) {
      const headers = headersOf(text, rest?.value ?? "[]");
      return { method, headers: items[at + 2] === undefined ? headers : withType(headers) };
    }
    return { method, headers: headersOfGuzzle(text, rest?.value ?? "[]") };
  }
  return undefined;
}

function headersOfGuzzle(text: string, value: string): SentParts["headers"] {
  const items = arrayOf(text, value);
  const options = new Map(items?.map(({ name, value: told }) => [said(name) ?? "", told]));
  // Of a login it makes a header, a form of several parts has a boundary, and a query takes the place of the URL's.
  if (items === undefined || ["", "auth", "multipart", "query"].some((name) => options.has(name))) return undefined;
  const headers = headersOf(text, options.get("headers") ?? "[]");
  const type = options.has("json")
    ? "application/json"
    : options.has("form_params")
      ? "application/x-www-form-urlencoded"
      : undefined;
  if (options.has("body")) return withType(headers);
  return type === undefined || headers === undefined ? headers : { "content-type": type, ...headers };
}

/** A body that nobody has called something Guzzle calls by the name of its file, and Symfony's client a form. */
function withType(headers: SentParts["headers"]): SentParts["headers"] {
  return headers?.["content-type"] === undefined ? undefined : headers;
}

function headersOf(text: string, value: string): SentParts["headers"] {
  const pairs = arrayOf(text, value)?.map(({ name, value: told }) => [said(name) ?? "", said(told)] as const);
  if (pairs === undefined) return undefined;
  const isOpen = pairs.some(([name, told]) => name === "" || (told === undefined && !/^authorization$/i.test(name)));
  return isOpen ? undefined : headerRecord(pairs.map(([name, told = "…"]) => [name, told]));
}
