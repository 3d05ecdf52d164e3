import { isObject } from "daypass/schemes";
import { parseSecretJson } from "../../../files.ts";
import { headerRecord, type RequestParts } from "./request-parts.ts";

/** Reads the HAR entry that requested `url`: a refused request before an accepted one, and a CORS preflight last. */
export function harRequest(text: string, url: string): RequestParts | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  const toUrl = entriesOf(parseSecretJson(text)).filter(({ request }) => isObject(request) && request["url"] === url);
  const requests = toUrl.filter(({ request }) => (request as Fields)["method"] !== "OPTIONS");
  const entry = requests.find(({ response }) => !isAccepted(response)) ?? requests[0] ?? toUrl[0];
  if (entry === undefined) return undefined;
  const { method, headers } = entry["request"] as Fields;
  const { response } = entry;
  const status = statusOf(response);
  return {
    method: typeof method === "string" ? method.toUpperCase() : undefined,
    headers: Array.isArray(headers) ? headerRecord(headers.flatMap(pairOf)) : undefined,
    errorBody: isAccepted(response) ? undefined : bodyOf(response),
    // An aborted request has the status 0.
    status: status >= 300 && status < 600 ? status : undefined,
  };
}

/** The requested URLs of an archive, refused requests first: a response can contain thousands of other URLs. */
export function harUrls(text: string): readonly string[] {
  if (!/^\s*[{[]/.test(text)) return [];
  const entries = entriesOf(parseSecretJson(text));
  const urlsOf = (isWanted: (entry: Fields) => boolean): readonly string[] =>
    entries.filter(isWanted).flatMap(({ request }) => (isObject(request) ? [String(request["url"])] : []));
  const isRefused = ({ response }: Fields): boolean => !(statusOf(response) < 400);
  return [...new Set([...urlsOf(isRefused), ...urlsOf((entry) => !isRefused(entry))])];
}

type Fields = Readonly<Record<string, unknown>>;

/** The entries of a whole archive, of a list, or one entry alone. */
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

function statusOf(response: unknown): number {
  const status = isObject(response) ? response["status"] : undefined;
  return typeof status === "number" ? status : Number.NaN;
}

function isAccepted(response: unknown): boolean {
  return statusOf(response) >= 200 && statusOf(response) < 300;
}

// Chrome's other errors do not state a cause.
const NETWORK_ERROR = /^net::ERR_(?:NAME_NOT_RESOLVED|CONNECTION_REFUSED|CERT_|SSL_)/;

/** The body of a response, or Chrome's network error if there was no response. */
function bodyOf(response: unknown): string | undefined {
  const { content, _error: error } = isObject(response) ? response : ({} as Fields);
  const { text, encoding } = isObject(content) ? content : ({} as Fields);
  if (typeof text === "string" && text !== "")
    return encoding === "base64" ? Buffer.from(text, "base64").toString("utf8") : text;
  return typeof error === "string" && NETWORK_ERROR.test(error) ? error : undefined;
}
