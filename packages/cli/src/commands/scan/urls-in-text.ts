/** A place in a text where a URL may stand, as it stands there. */
export interface RawUrl {
  readonly index: number;
  readonly raw: string;
}

// No server takes longer ones; a session token makes a URL of two thousand characters.
const MAX_URL = 16_384;
/** How many URLs inside of a URL are looked at: a bound, so that a text of nothing but beginnings costs no more. */
const MAX_NESTED = 4;

const CONNECTS = "Action=(?:connect|DbConnect)";

/**
 * Where a URL begins: plainly, with slashes that JSON has escaped, percent-encoded inside of another URL; or a request line of
 * a log or a path in quotes, which tell no host, or no protocol.
 */
const BEGINNING = new RegExp(
  [
    // The source of a mail may break it anywhere.
    ["h", "t", "t", "p", "s?", ":", "\\\\{0,8}\\/", "\\\\{0,8}\\/"].join("(?:=\\r?\\n)?"),
    "https?%3a%2f%2f",
    "wss?:\\\\{0,8}\\/\\\\{0,8}\\/",
    // A token of EKS, and one of MSK: base64 of https://kafka.
    "k8s-aws-v1\\.(?=aHR0c)",
    "\\baHR0cHM6Ly9rYWZrYS",
    // A password of RDS and its like is a URL without its scheme.
    `\\/\\?(?=${CONNECTS})`,
    "\\b(?:GET|HEAD|PUT|POST|DELETE|PATCH|OPTIONS) (?=\\/)",
    "[\"'](?=\\\\{0,8}\\/)",
  ].join("|"),
  "gi",
);

// What hardly a URL has unescaped: mostly it is of the text around it. Of other alphabets that is their punctuation, which no space follows.
const FOREIGN =
  "|^{}\\u00ab\\u00bb\\u2010-\\u205f\\u3000-\\u303f\\uff01-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40\\uff5b-\\uff65";
const NOT_URL = "\\s\"'`<>\\\\\\u0000-\\u001f\\u007f";
const ESCAPED = "\\\\{1,8}(?:[/&?=]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})";

/** What may follow. A backslash only before what JSON, JavaScript and shells escape. */
const REST = new RegExp(`(?:[^${NOT_URL}${FOREIGN}]|${ESCAPED}){0,${MAX_URL}}`, "y");
/** What may follow behind that in a URL that nobody encoded: up to the next one, so that a list of URLs costs no more than its length. */
const UNENCODED_REST = new RegExp(`(?:(?!https?(?::|%3a))(?:[^${NOT_URL}]|${ESCAPED})){0,${MAX_URL}}`, "iy");
const FIRST_FOREIGN = new RegExp(`[${FOREIGN}]`);

/** All places in a text where a URL may stand. Linear in its length whatever it holds. */
export function* urlsInText(text: string): Generator<RawUrl> {
  BEGINNING.lastIndex = 0;
  let runEnd = 0;
  let nested = 0;
  for (let found = BEGINNING.exec(text); found !== null; found = BEGINNING.exec(text)) {
    const front = found[0] === "/?" ? hostBefore(text, found.index) : "";
    if (front === undefined) continue;
    const index = found.index - front.length;
    nested = index < runEnd ? nested + 1 : 0;
    const begin = front + found[0];
    const next = index + begin.length;
    REST.lastIndex = next;
    const rest = REST.exec(text)?.[0] ?? "";
    runEnd = Math.max(runEnd, next + rest.length);
    UNENCODED_REST.lastIndex = next + rest.length;
    const whole = begin + rest + (UNENCODED_REST.exec(text)?.[0] ?? "");
    if (whole.length < MAX_URL) yield { index, raw: whole + nextLines(text, index + whole.length) };
    else if (rest.length < MAX_URL) yield { index, raw: begin + rest + nextLines(text, next + rest.length) };
    // The generator may have been left alone in between.
    BEGINNING.lastIndex = nested < MAX_NESTED ? next : Math.max(next, runEnd);
  }
}

/** The host and port that end at a place. `undefined` where there is none, or one that a scheme stands in front of. */
function hostBefore(text: string, end: number): string | undefined {
  const [host] = /[\w.-]{1,255}(?::\d{1,5})?$/.exec(text.slice(Math.max(0, end - 262), end)) ?? [];
  return host === undefined || /:\/\/$/.test(text.slice(0, end - host.length).slice(-3)) ? undefined : host;
}

// The longest line of a mail's source, with the = that breaks it; programs break no sooner than they must.
const MAIL_LINE = { min: 60, max: 76 };
// A URL with a session token has thirty.
const MAX_LINES = 40;

/** The lines in which a URL goes on in the source of a mail (quoted-printable), with the line ends that broke it. */
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

/** Whether the line up to a place has the length of one that a program broke. */
function isMailLine(text: string, end: number): boolean {
  const start = Math.max(0, end - MAIL_LINE.max - 1);
  const line = text.slice(start, end);
  const length = line.length - 1 - line.lastIndexOf("\n");
  return length >= MAIL_LINE.min && length <= MAIL_LINE.max;
}

/**
 * The URLs that a place may mean, the likeliest first: unescaped, and without what stood behind it in the sentence.
 * A log's request line becomes a URL of the host `unknown.invalid`.
 */
export function readings(raw: string): readonly string[] {
  const [line = ""] = raw.split(/\r?\n/, 1);
  const mail = raw.replace(/=\r?\n/g, "").replace(/=3D/gi, "=");
  const texts = [withoutCarets(line), line, ...(mail === raw ? [] : [mail])];
  return [...new Set(texts.flatMap(withoutForeign).flatMap(readingsOfLine))];
}

/** Undoes what Windows' cmd needs in front of & and %: Chrome's "Copy as cURL (cmd)" is full of it. */
function withoutCarets(line: string): string {
  return /\^[&%]/.test(line) ? line.replace(/\^(.)/g, "$1").replace(/\^$/, "") : line;
}

/** A URL up to what is likely of the text around it, and with it: a browser sends what nobody has encoded, too. */
function withoutForeign(raw: string): readonly string[] {
  const end = raw.search(FIRST_FOREIGN);
  return end < 0 ? [raw] : [raw.slice(0, end), raw];
}

function readingsOfLine(raw: string): readonly string[] {
  const plain = withoutEscapes(raw);
  if (plain === undefined) return [];
  const trimmed = trimEnd(plain);
  // Markdown's emphasis; but base64 for URLs may end with these, and CloudFront's does.
  const plainer = trimEnd(trimmed.replace(/[*_~]+$/, ""));
  // In a list, a table or an alphabet without spaces something may follow at once. A signature has none of these characters.
  const lastValue = trimmed.lastIndexOf("=");
  const cut = lastValue < 0 ? -1 : trimmed.slice(lastValue).search(/[,;)\]*]|[^\x21-\x7e]/);
  return [trimmed, plainer, ...(cut < 0 ? [] : [trimmed.slice(0, lastValue + cut)])];
}

/** A URL of a log that tells no host. */
export const UNKNOWN_ORIGIN = "https://unknown.invalid";

function withoutEscapes(raw: string): string | undefined {
  const [, before = "", path] = /^([A-Z]+ |["'])(\\*\/.*)$/is.exec(raw) ?? [];
  if (path !== undefined) {
    const plain = withoutMarkup(path);
    return before.length === 1 && plain.startsWith("//") ? `https:${plain}` : UNKNOWN_ORIGIN + plain;
  }
  if (!/^https?%3a/i.test(raw)) return withoutMarkup(raw);
  // Inside of another URL it ends where that one's parameter does.
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

/** Without the full stop of the sentence and the bracket of the link that a URL stands in. */
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
