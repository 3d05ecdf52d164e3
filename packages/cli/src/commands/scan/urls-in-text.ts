/** A possible URL in a text, as the text spells it. */
export interface RawUrl {
  readonly index: number;
  readonly raw: string;
}

// No server accepts longer URLs. A URL with a session token has two thousand characters.
const MAX_URL = 16_384;
/** The limit of URLs inside a URL, which keeps the scan linear. */
const MAX_NESTED = 4;

/**
 * How a URL begins: unescaped, with slashes escaped by JSON, percent-encoded inside another URL, or without host and protocol in a
 * request line of a log and in quotes.
 */
const BEGINNING = new RegExp(
  [
    // The source of a mail may break a URL anywhere.
    ["h", "t", "t", "p", "s?", ":", "\\\\{0,8}\\/", "\\\\{0,8}\\/"].join("(?:=\\r?\\n)?"),
    "https?%3a%2f%2f",
    "\\b(?:GET|HEAD|PUT|POST|DELETE|PATCH|OPTIONS) (?=\\/)",
    "[\"'](?=\\\\{0,8}\\/)",
  ].join("|"),
  "gi",
);

// Characters that mostly belong to the surrounding text. Includes the punctuation of alphabets without spaces.
const FOREIGN =
  "|^{}\\u00ab\\u00bb\\u2010-\\u205f\\u3000-\\u303f\\uff01-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40\\uff5b-\\uff65";
const NOT_URL = "\\s\"'`<>\\\\\\u0000-\\u001f\\u007f";
const ESCAPED = "\\\\{1,8}(?:[/&?=]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})";

/** The rest of a URL. A backslash only before characters that JSON, JavaScript and shells escape. */
const REST = new RegExp(`(?:[^${NOT_URL}${FOREIGN}]|${ESCAPED}){0,${MAX_URL}}`, "y");
/** The continuation of a URL that was not percent-encoded. Stops before the next URL, which keeps lists of URLs linear. */
const UNENCODED_REST = new RegExp(`(?:(?!https?(?::|%3a))(?:[^${NOT_URL}]|${ESCAPED})){0,${MAX_URL}}`, "iy");
const FIRST_FOREIGN = new RegExp(`[${FOREIGN}]`);

/** Finds all possible URLs in a text, in linear time. */
export function* urlsInText(text: string): Generator<RawUrl> {
  BEGINNING.lastIndex = 0;
  let runEnd = 0;
  let nested = 0;
  for (let found = BEGINNING.exec(text); found !== null; found = BEGINNING.exec(text)) {
    const { 0: begin, index } = found;
    nested = index < runEnd ? nested + 1 : 0;
    const next = index + begin.length;
    REST.lastIndex = next;
    const rest = REST.exec(text)?.[0] ?? "";
    runEnd = Math.max(runEnd, next + rest.length);
    UNENCODED_REST.lastIndex = next + rest.length;
    const whole = begin + rest + (UNENCODED_REST.exec(text)?.[0] ?? "");
    if (whole.length < MAX_URL) yield { index, raw: whole + nextLines(text, index + whole.length) };
    else if (rest.length < MAX_URL) yield { index, raw: begin + rest + nextLines(text, next + rest.length) };
    // Another generator may have moved lastIndex.
    BEGINNING.lastIndex = nested < MAX_NESTED ? next : Math.max(next, runEnd);
  }
}

// Mail programs break a line at 76 characters, including the = at its end.
const MAIL_LINE = { min: 60, max: 76 };
// A URL with a session token has thirty lines.
const MAX_LINES = 40;

/** The continuation lines of a URL in the source of a mail (quoted-printable). */
function nextLines(text: string, end: number): string {
  let at = end;
  for (let lines = 0; lines < MAX_LINES; lines += 1) {
    const lineEnd =
      text.charAt(at - 1) === "=" ? /^\r?\n(?=\S)(?!https?:)/i.exec(text.slice(at, at + 10))?.[0] : undefined;
    if (lineEnd === undefined || !isMailLine(text, at)) break;
    REST.lastIndex = at + lineEnd.length;
    const next = REST.lastIndex;
    at = next + (REST.exec(text)?.[0].length ?? 0);
  }
  return text.slice(end, at);
}

/** Whether the line that ends at `end` is long enough to have been broken by a mail program. */
function isMailLine(text: string, end: number): boolean {
  const start = Math.max(0, end - MAIL_LINE.max - 1);
  const line = text.slice(start, end);
  const length = line.length - 1 - line.lastIndexOf("\n");
  return length >= MAIL_LINE.min && length <= MAIL_LINE.max;
}

/**
 * The URLs that a raw URL may mean, the likeliest first: unescaped, and without the punctuation of the sentence.
 * The request line of a log becomes a URL of the host `unknown.invalid`.
 */
export function readings(raw: string): readonly string[] {
  const [line = ""] = raw.split(/\r?\n/, 1);
  const mail = raw.replace(/=\r?\n/g, "").replace(/=3D/gi, "=");
  const texts = [withoutCarets(line), line, ...(mail === raw ? [] : [mail])];
  return [...new Set(texts.flatMap(withoutForeign).flatMap(readingsOfLine))];
}

/** Removes the carets that Windows' cmd needs before & and %, as in Chrome's "Copy as cURL (cmd)". */
function withoutCarets(line: string): string {
  return /\^[&%]/.test(line) ? line.replace(/\^(.)/g, "$1").replace(/\^$/, "") : line;
}

/** The URL without and with foreign characters: browsers also send unencoded ones. */
function withoutForeign(raw: string): readonly string[] {
  const end = raw.search(FIRST_FOREIGN);
  return end < 0 ? [raw] : [raw.slice(0, end), raw];
}

function readingsOfLine(raw: string): readonly string[] {
  const plain = withoutEscapes(raw);
  if (plain === undefined) return [];
  const trimmed = trimEnd(plain);
  // Markdown emphasis. Base64url, and CloudFront's base64, may end with the same characters.
  const plainer = trimEnd(trimmed.replace(/[*_~]+$/, ""));
  // A list, a table or an alphabet without spaces continues right behind the URL. No signature contains these characters.
  const lastValue = trimmed.lastIndexOf("=");
  const cut = lastValue < 0 ? -1 : trimmed.slice(lastValue).search(/[,;)\]*]|[^\x21-\x7e]/);
  return [trimmed, plainer, ...(cut < 0 ? [] : [trimmed.slice(0, lastValue + cut)])];
}

/** The origin of URLs from logs that do not state the host. */
export const UNKNOWN_ORIGIN = "https://unknown.invalid";

function withoutEscapes(raw: string): string | undefined {
  const [, before = "", path] = /^([A-Z]+ |["'])(\\*\/.*)$/is.exec(raw) ?? [];
  if (path !== undefined) {
    const plain = withoutMarkup(path);
    return before.length === 1 && plain.startsWith("//") ? `https:${plain}` : UNKNOWN_ORIGIN + plain;
  }
  if (!/^https?%3a/i.test(raw)) return withoutMarkup(raw);
  // Inside another URL, the end of the parameter ends the URL.
  const [value = ""] = raw.split(/[&#;]/, 1);
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function withoutMarkup(text: string): string {
  const [inside = ""] = text.split(/&(?:quot|apos|lt|gt|#0*3[49]|#0*6[02]|#x0*2[27]|#x0*3[ce]);/i, 1);
  return inside
    .replace(/\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))/g, (_, long?: string, short = "") =>
      String.fromCharCode(Number.parseInt(long ?? short, 16)),
    )
    .replace(/\\+(?=[/&?=])/g, "")
    .replace(/&(?:(?:amp|#0*38|#x0*26);)+/gi, "&")
    .replace(/&(?:#0*61|#x0*3d|equals);/gi, "=");
}

/** Removes the full stop of the sentence and the closing bracket of a link. */
function trimEnd(url: string): string {
  let end = url.length;
  let open = 0;
  for (const character of url) open += character === "(" ? 1 : character === ")" ? -1 : 0;
  while (end > 0) {
    const last = url.charAt(end - 1);
    if (last === ")" && open < 0) open += 1;
    else if (!/[.,;:!?\]}|]/.test(last)) break;
    end -= 1;
  }
  return url.slice(0, end);
}
