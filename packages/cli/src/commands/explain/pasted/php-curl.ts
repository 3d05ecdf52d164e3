import { literal } from "./object-text.ts";
import { ARRAY, arrayAtItem, arrayOf, type Item, isUrl, itemsAt, said } from "./php-values.ts";
import { headerRecord, type SentParts } from "./sent-parts.ts";
import { type UrlPlace, variableOf } from "./url-place.ts";

// Each looks through the whole text.
const MAX_LOOKUPS = 8;

const OPTION = /\bcurl_setopt(_array)?\(\s*(\$\w+)\s*,\s*|(\$\w+)\s*=\s*curl_init\(\s*/g;

/** The beginning of a line that is none of the program. */
const COMMENT = /(?:^|\n)[ \t]*(?:\/\/|#|\*)[^\n]*$/;

interface CurlCall {
  readonly name: "curl_init" | "curl_setopt" | "curl_setopt_array";
  /** The variable of the handle. */
  readonly handle: string;
  readonly items: readonly Item[];
}

function* callsIn(text: string): Generator<CurlCall> {
  let behind = 0;
  for (const { index, 0: all, 1: array, 2: set, 3: made } of text.matchAll(OPTION)) {
    // What stands in an argument is no call of its own; and calls that nobody closes cost no more than their length.
    if (index < behind || COMMENT.test(text.slice(Math.max(0, index - 200), index))) continue;
    const items = itemsAt(text, index + all.length);
    behind = items.at(-1)?.to ?? index;
    if (made !== undefined) yield { name: "curl_init", handle: made, items };
    else yield { name: array === undefined ? "curl_setopt" : "curl_setopt_array", handle: set ?? "", items };
  }
}

/** All options of the handle that has the URL. */
export function curlFunctions(place: UrlPlace): SentParts | undefined {
  const { text } = place;
  const variable = variableOf(place);
  const handles = new Map<string, Map<string, string>>();
  let found: string | undefined;
  let lookups = 0;
  for (const { name, handle, items } of callsIn(text)) {
    const [first, second] = items;
    if (name === "curl_init") {
      // A handle that is made anew has none of the options of before.
      if (found === handle) break;
      handles.set(handle, new Map());
      if (items.some((item) => isUrl(item, place, variable))) found = handle;
      continue;
    }
    const options = handles.get(handle) ?? new Map<string, string>();
    handles.set(handle, options);
    let given: readonly Item[] | undefined;
    if (name === "curl_setopt") {
      given = first === undefined || second === undefined ? [] : [{ ...second, name: first.value }];
    } else if (first !== undefined && (ARRAY.test(first.value) || ++lookups < MAX_LOOKUPS)) {
      given = arrayAtItem(text, first);
    }
    // An item of an array whose name cannot be read has a comment in front, in which anything may stand.
    if (given === undefined || given.some((item) => item.name === "")) options.set(UNTOLD, "");
    for (const item of given ?? []) {
      options.set(item.name, item.value);
      if (item.name === "CURLOPT_URL" && isUrl(item, place, variable)) found = handle;
    }
  }
  const options = found === undefined ? undefined : handles.get(found);
  return options === undefined ? undefined : ofOptions(text, options);
}

/** Stands for options that nobody can tell. */
const UNTOLD = "…";

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

function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(?:true|1)$/i.test(value);
}
