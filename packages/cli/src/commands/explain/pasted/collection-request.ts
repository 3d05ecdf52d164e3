import { isObject } from "../../../lines/fields.ts";
import { privateJson } from "../../../private-json.ts";
import { headerRecord, type SentParts } from "./sent-parts.ts";

type Fields = Readonly<Record<string, unknown>>;

// An export has some thousands of requests; what is nested deeper is none.
const MAX_OBJECTS = 20_000;

/** The request to a URL in an export of Postman's or Insomnia's. */
export function collectionRequest(text: string, url: string): SentParts | undefined {
  if (!/^\s*[{[]/.test(text) || !/"(?:header|headers)"/.test(text)) return undefined;
  const waiting: unknown[] = [privateJson(text)];
  for (let count = 0; waiting.length > 0 && count < MAX_OBJECTS; count++) {
    const value = waiting.pop();
    if (Array.isArray(value)) waiting.push(...value.slice(0, MAX_OBJECTS));
    if (!isObject(value)) continue;
    if (isRequestTo(value, url)) return requestOf(value);
    const inner = Object.values(value).filter((member) => typeof member === "object" && member !== null);
    waiting.push(...inner.slice(0, MAX_OBJECTS));
  }
  return undefined;
}

/** Postman writes a URL as an object with its text in it. */
function isRequestTo({ url: written, method }: Fields, url: string): boolean {
  const raw = isObject(written) ? written["raw"] : written;
  return raw === url && typeof method === "string";
}

function requestOf({ method, header, headers = header, body, auth, authentication = auth }: Fields): SentParts {
  const pairs = Array.isArray(headers) ? headers.flatMap(pairOf) : undefined;
  const isOpen = pairs?.some(([name, value]) => /\{\{|\{%/.test(name + value)) === true;
  const hasType = pairs?.some(([name]) => /^content-type$/i.test(name)) === true;
  // A login of its own, of which a header or a parameter is made.
  const hasLogin =
    isObject(authentication) &&
    Object.keys(authentication).length > 0 &&
    !/^(?:noauth|none)$/.test(String(authentication["type"]));
  // Both add a type to a body that has none.
  const hasBody = isObject(body) && Object.keys(body).length > 0 && body["mode"] !== "none";
  return {
    method: String(method).toUpperCase(),
    headers: pairs === undefined || isOpen || hasLogin || (hasBody && !hasType) ? undefined : headerRecord(pairs),
  };
}

function pairOf(header: unknown): readonly (readonly [string, string])[] {
  if (!isObject(header) || header["disabled"] === true) return [];
  const { key, name = key, value } = header;
  return typeof name === "string" && typeof value === "string" ? [[name, value]] : [];
}
