import { decodeOr } from "./decoded.ts";

/**
 * An answer as its server wrote it: a log shows it as a text in JSON, or in HTML. What is not escaped comes back as it is.
 */
export function unescaped(body: string): string {
  const text = SHOWS_ESCAPES.test(body) ? body.replace(ESCAPED, undone) : body;
  return /&lt;Code&gt;/.test(text) && !/<Code>/.test(text)
    ? text.replace(/&(lt|gt|quot|amp);/g, (_, name: string) => ENTITIES[name] as string)
    : text;
}

// Between elements and in a declaration no server has one; nor in a text of several lines that has none.
const SHOWS_ESCAPES =
  /<\\+\/|>\\+[nrt]|\\[<>]|=\\+"|<(?:StringToSign|CanonicalRequest|FormatString|AuthenticationErrorDetail)>[^<\n\\]*(?:\\(?!n)[^<\n\\]*)*\\n[^<\n]*</;

// Some programs escape what is escaped.
const ESCAPED = /\\{1,8}(?:u([0-9a-fA-F]{4})|([nrt"'/<>]))/g;
const WHITE: Readonly<Record<string, string>> = { n: "\n", r: "", t: "\t" };
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', amp: "&" };

function undone(_: string, unicode: string | undefined, character = ""): string {
  if (unicode !== undefined) return String.fromCharCode(Number.parseInt(unicode, 16));
  return WHITE[character] ?? character;
}

/**
 * The texts that a server shows, with their lines. A browser shows each run of white space as one space, so that whoever copies
 * an answer out of one has lost the lines, and with them the empty ones.
 */
export function withLines(fields: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const mended = new Map(fields);
  for (const [name, lines] of Object.entries(LINES)) {
    const text = fields.get(name);
    if (text === undefined) continue;
    mended.set(name, ofBytes(text, fields.get(`${name}Bytes`)) ?? lines(text));
  }
  return mended;
}

/** What S3 and OSS show a second time, byte for byte. */
function ofBytes(text: string, hex = ""): string | undefined {
  const digits = hex.replace(/\s+/g, "");
  if (!/^(?:[0-9a-f]{2})+$/i.test(digits)) return undefined;
  const shown = decodeOr(digits.replace(/../g, "%$&"));
  return inOneLine(shown) === inOneLine(text) ? shown : undefined;
}

function inOneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

const LINES: Readonly<Record<string, (text: string) => string>> = {
  StringToSign: linesToSign,
  CanonicalRequest: linesOfCanonical,
  FormatString: linesOfFormat,
};

/** The four lines of the V4 family, COS' three, and those of the versions whose text is the request itself. */
function linesToSign(text: string): string {
  const line = inOneLine(text);
  if (/^sha1 \d+;\d+ [0-9a-f]{40}$/.test(line)) return `${line.replaceAll(" ", "\n")}\n`;
  if (/^\S+ \d{8}T\d{6}Z \S+ [0-9a-f]{64}$/.test(line)) return line.replaceAll(" ", "\n");
  if (/^[^\n]*\n[^\n]*\n[^\n]*\n\d*(?:\n|$)/.test(text) || !/^[A-Z]+ .*\d{9,13} /.test(line)) return text;
  const [, method = "", md5 = "", type = "", end = "", rest = ""] =
    /^([A-Z]+)(?: ([A-Za-z0-9+/]{22}==))?(?: (\S.*?))?? (\d{9,13}) (.*)$/.exec(line) ?? [];
  // A header of the store's own may have spaces in its value.
  const lines = rest.split(/ (?=x-(?:amz|goog|oss)-[a-z0-9-]+:|\/)/);
  return method === "" ? text : [method, md5, type, end, ...lines].join("\n");
}

/** Of a canonical request only the values of headers have spaces. */
function linesOfCanonical(text: string): string {
  if (text.includes("\n")) return text;
  const [method = "", path = "", ...rest] = text.split(" ");
  const payload = rest.pop() ?? "";
  const signedHeaders = rest.pop() ?? "";
  const query = rest[0] !== undefined && /^[^:]*=/.test(rest[0]) ? (rest.shift() ?? "") : "";
  const headers = rest.join(" ").split(/ (?=[a-z0-9-]+:)/);
  return [method, path, query, ...headers, "", signedHeaders, payload].join("\n");
}

/** COS' text: method, path, parameters and headers, each with its line end. */
function linesOfFormat(text: string): string {
  if (text.includes("\n")) return text;
  const [, method, path, parameters = "", headers] =
    /^([a-z]+) (\/.*?)(?: ([^\s=]+=\S*))? ([^\s=]+=\S*)$/.exec(text) ?? [];
  return method === undefined ? text : `${method}\n${path}\n${parameters}\n${headers}\n`;
}
