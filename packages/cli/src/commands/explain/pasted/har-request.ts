import { isObject } from "../../../lines/fields.ts";
import { privateJson } from "../../../private-json.ts";
import { headerRecord, type SentParts } from "./sent-parts.ts";

/** The entry of an archive (HAR) that asked for a URL; of several the one that was refused, and no preflight. */
export function harRequest(text: string, url: string): SentParts | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  const ofUrl = entriesOf(privateJson(text)).filter(({ request }) => isObject(request) && request["url"] === url);
  const asked = ofUrl.filter(({ request }) => (request as Fields)["method"] !== "OPTIONS");
  const entry = asked.find(({ response }) => !isFine(response)) ?? asked[0] ?? ofUrl[0];
  if (entry === undefined) return undefined;
  const { method, headers } = entry["request"] as Fields;
  return {
    method: typeof method === "string" ? method.toUpperCase() : undefined,
    headers: Array.isArray(headers) ? headerRecord(headers.flatMap(pairOf)) : undefined,
    errorBody: isFine(entry["response"]) ? undefined : bodyOf(entry["response"]),
    status: statusOf(entry["response"]),
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** Of a whole archive, of a list, or the entry itself. */
function entriesOf(archive: unknown): readonly Fields[] {
  const log = isObject(archive) ? (archive["log"] ?? archive) : archive;
  const entries = isObject(log) ? (log["entries"] ?? [log]) : log;
  return Array.isArray(entries) ? entries.filter(isObject) : [];
}

function pairOf(header: unknown): readonly (readonly [string, string])[] {
  if (!isObject(header)) return [];
  const { name, value } = header;
  return typeof name === "string" && typeof value === "string" ? [[name, value]] : [];
}

function isFine(response: unknown): boolean {
  const status = isObject(response) ? response["status"] : undefined;
  return typeof status === "number" && status >= 200 && status < 300;
}

/** A request that a browser gave up has 0. */
function statusOf(response: unknown): number | undefined {
  const status = isObject(response) ? response["status"] : undefined;
  return typeof status === "number" && status >= 300 && status < 600 ? status : undefined;
}

// Others than these tell nothing.
const SAID = /^net::ERR_(?:NAME_NOT_RESOLVED|CONNECTION_REFUSED|CERT_|SSL_)/;

/** The body of an answer, or what Chrome says where none came. */
function bodyOf(response: unknown): string | undefined {
  const { content, _error: error } = isObject(response) ? response : ({} as Fields);
  const { text, encoding } = isObject(content) ? content : ({} as Fields);
  if (typeof text !== "string" || text === "") return typeof error === "string" && SAID.test(error) ? error : undefined;
  return encoding === "base64" ? Buffer.from(text, "base64").toString("utf8") : text;
}
