import { arrayOf, isUrl, itemsAt, said } from "./php-values.ts";
import { headerRecord, type SentParts } from "./sent-parts.ts";
import { type UrlPlace, variableOf } from "./url-place.ts";

const GUZZLE =
  /\$[\w>-]+->(?:(request|requestAsync)|(get|head|put|post|delete|patch)(?:Async)?)\(\s*|\bnew (?:\\?GuzzleHttp\\Psr7\\)?Request\(\s*/g;

const CLIENT = /\bnew (?:\\?GuzzleHttp\\)?Client\(\s*(?:\[|array\s*\()[^;]{0,1000}?['"](?:headers|auth|query)['"]\s*=>/;

/** The request of a call of Guzzle, or of one of its request objects, with the URL. */
export function guzzleCall(place: UrlPlace): SentParts | undefined {
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
    if (CLIENT.test(text)) return { method };
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
