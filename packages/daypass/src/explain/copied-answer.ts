import { decodeOr } from "./decoded.ts";
import { redactUrl } from "./redact.ts";

// Answers as a browser, a log or an exception shows them.

// No server writes these between elements, in a declaration, or in a text of several lines.
const SHOWS_ESCAPES =
  /<\\+\/|>\\+[nrt]|\\[<>]|=\\+"|<(?:StringToSign|CanonicalRequest|FormatString|AuthenticationErrorDetail)>[^<\n\\]*(?:\\(?!n)[^<\n\\]*)*\\n[^<\n]*</;
// Some programs escape twice.
const ESCAPED = /\\{1,8}(?:u([0-9a-fA-F]{4})|([nrt"'/<>]))/g;
const WHITE: Readonly<Record<string, string>> = { n: "\n", r: "", t: "\t" };
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', amp: "&", apos: "'" };

/** An answer as its server wrote it, without the escapes of a JSON text or of HTML. */
export function unescaped(body: string): string {
  const text = SHOWS_ESCAPES.test(body)
    ? body.replace(ESCAPED, (_, unicode: string | undefined, character = "") =>
        unicode === undefined ? (WHITE[character] ?? character) : String.fromCharCode(Number.parseInt(unicode, 16)),
      )
    : body;
  return /&lt;Code&gt;/.test(text) && !/<Code>/.test(text) ? withoutEntities(text) : text;
}

/** Replaces the five entities of XML. */
export function withoutEntities(text: string): string {
  return text.replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => ENTITIES[name] as string);
}

/**
 * The fields of an answer, with the lines of signed texts restored: a browser shows all white space as one space, and drops
 * empty lines.
 */
export function withLines(fields: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const restored = new Map(fields);
  for (const [name, lines] of Object.entries({ StringToSign: linesToSign, CanonicalRequest: canonicalLines })) {
    const text = fields.get(name);
    if (text !== undefined) restored.set(name, textOfBytes(text, fields.get(`${name}Bytes`)) ?? lines(text));
  }
  return restored;
}

/** S3 and OSS show their texts a second time, byte for byte. */
function textOfBytes(text: string, hex = ""): string | undefined {
  const digits = hex.replace(/\s+/g, "");
  if (!/^(?:[0-9a-f]{2})+$/i.test(digits)) return undefined;
  const shown = decodeOr(digits.replace(/../g, "%$&"));
  return inOneLine(shown) === inOneLine(text) ? shown : undefined;
}

function inOneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** The four lines of the V4 family, the three of COS, and the lines of the versions that sign the request itself. */
function linesToSign(text: string): string {
  const line = inOneLine(text);
  if (/^sha1 \d+;\d+ [0-9a-f]{40}$/.test(line)) return `${line.replaceAll(" ", "\n")}\n`;
  if (/^\S+ \d{8}T\d{6}Z \S+ [0-9a-f]{64}$/.test(line)) return line.replaceAll(" ", "\n");
  if (/^[^\n]*\n[^\n]*\n[^\n]*\n\d*(?:\n|$)/.test(text)) return text;
  const [, method, md5 = "", type = "", end = "", rest = ""] =
    /^([A-Z]+)(?: ([A-Za-z0-9+/]{22}==))?(?: (\S.*?))?? (\d{9,13}) (.*)$/.exec(line) ?? [];
  // The value of a store's own header can contain spaces.
  const lines = rest.split(/ (?=x-(?:amz|goog|oss)-[a-z0-9-]+:|\/)/);
  return method === undefined ? text : [method, md5, type, end, ...lines].join("\n");
}

/** In a canonical request only the values of headers contain spaces. */
function canonicalLines(text: string): string {
  if (text.includes("\n")) return text;
  const [method = "", path = "", ...rest] = text.split(" ");
  const [signedHeaders = "", payload = ""] = rest.splice(-2);
  const query = rest[0] !== undefined && /^[^:]*=/.test(rest[0]) ? (rest.shift() ?? "") : "";
  const headers = rest.join(" ").split(/ (?=[a-z0-9-]+:)/);
  return [method, path, query, ...headers, "", signedHeaders, payload].join("\n");
}

/** Messages of stores, by their code. The first match counts. */
const MESSAGES: readonly (readonly [code: string, message: RegExp])[] = [
  ["SignatureDoesNotMatch", /The request signature we calculated does not match/i],
  ["AccessDenied", /(?<!SAS )\bRequest has expired\b|headers present in the request which were not signed/i],
  ["AccessDenied", /\bUser: \S{1,200} is not authorized to perform: /],
  ["ExpiredToken", /The provided token has expired|The security token included in the request is expired/i],
  ["InvalidToken", /The provided token is malformed or otherwise invalid/i],
  ["InvalidAccessKeyId", /Access Key Id you provided does not exist in our records/i],
  ["InvalidRequest", /The authorization mechanism you have provided is not supported/i],
  ["InvalidArgument", /Only one auth mechanism allowed/i],
  ["AuthorizationQueryParametersError", /X-Amz-Expires must be less than a week|Error parsing the X-Amz-Credential/i],
  ["Unauthorized", /SigV2 authorization is not supported/i],
  ["PermanentRedirect", /must be addressed using the specified endpoint/i],
  ["AuthenticationFailed", /Server failed to authenticate the request/i],
  ["CORSResponse", /CORSResponse: /],
];

/** Codes that no other text contains, and that are no common name of an exception. */
const CODES =
  /\b(SignatureDoesNotMatch|AccessDenied|InvalidAccessKeyId|ExpiredToken|InvalidToken|RequestTimeTooSkewed|AuthorizationQueryParametersError|AuthorizationHeaderMalformed|AuthenticationFailed|Authorization(?:Failure|PermissionMismatch|ProtocolMismatch|SourceIPMismatch|ResourceTypeMismatch|ServiceMismatch)|NoSuch(?:Key|Bucket|Version)|(?:Blob|Container)NotFound|(?:Permanent|Temporary)Redirect|XAmzContentSHA256Mismatch|MalformedSecurityHeader|MissingSecurityHeader|MalformedPolicy|(?:UnauthorizedAccess|NotImplemented)(?!Error|Exception)|BadDigest|InvalidDigest)(?![a-z])/;

const NAMES = ["StringToSign", "CanonicalRequest", "FormatString", "AuthenticationErrorDetail"];
const NEXT =
  /["']?,\s{0,20}["']?[A-Za-z_]{2,40}["']?\s{0,20}[=:]|\n\s{0,20}(?:Content|Headers|ErrorCode|Additional Information):|["']?\s{0,20}\}|$/
    .source;
/** Elements of an answer that exceptions show by name. */
const ELEMENTS = new RegExp(`\\b(${NAMES.join("|")})["']?\\s*[=:]\\s*["']?([\\s\\S]{1,4000}?)(?=${NEXT})`, "gi");

const MAX_TEXT = 32_768;

/** The answer in an exception, a log or a message: code, message and signed texts. `undefined` if unknown, and for a web page. */
export function fieldsInText(body: string): ReadonlyMap<string, string> | undefined {
  const text = body.slice(0, MAX_TEXT);
  if (/<(?:!doctype|html|head|body|title|h[1-6]|li)\b/i.test(text)) return undefined;
  const [known, message] = MESSAGES.find(([, pattern]) => pattern.test(text)) ?? [];
  const [, named] = CODES.exec(text) ?? [];
  const code = named ?? known;
  if (code === undefined) return undefined;
  // An exception writes the message after the code.
  const after = named === undefined ? "" : lineAt(text, text.indexOf(named) + named.length).replace(/^[)\]:;,\s]+/, "");
  const elements = [...text.matchAll(ELEMENTS)].map(([, name = "", value = ""]): [string, string] => [
    NAMES.find((one) => one.toLowerCase() === name.toLowerCase()) ?? name,
    value.replace(/\r/g, "").trim(),
  ]);
  return new Map([
    ...elements,
    ["Code", code],
    ["Message", message === undefined ? after : lineAt(text, text.search(message))],
  ]);
}

const MAX_MESSAGE = 300;

/** The text from a place to the end of its line or to the next element, without the secrets that a log line can contain. */
function lineAt(text: string, start: number): string {
  const line = (/^[^\n<{}]*/.exec(text.slice(start, start + MAX_MESSAGE))?.[0] ?? "").trim();
  return line.replace(/https?:\/\/[^\s"'`<>]+/gi, redactUrl).replace(SECRET, "$1REDACTED");
}

/** A header, password or token with its name. */
const SECRET =
  /\b((?:[\w-]*(?:authorization|cookie|password|passwd|secret|token|signature)|[\w-]+[-_]key|(?:api|access|secret)key)["']?\s?[=:]\s?)(?:"[^"]*"?|'[^']*'?|(?:bearer|basic)\s+[^\s,;]+|[^\s,;]+)/gi;
