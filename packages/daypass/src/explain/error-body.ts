import { wordsOf } from "./answer-error-rules.ts";
import { unescaped, withLines } from "./answer-shape.ts";

/** A server's answer, read. */
export interface ServerError {
  readonly code: string;
  readonly message: string;
  /** The elements or properties of the answer by name. */
  readonly fields: ReadonlyMap<string, string>;
}

/** What Swift says, as text or as a page, of an end that has passed and of a signature that does not fit alike. */
const TEMP_URL_INVALID = "Temp URL invalid";

/** Stands for the code of an answer that says no more than that the URL is none: its end has passed, or its signature does not fit. */
export const NOT_VALID = "not valid";

const MAX_BODY = 262_144;
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/**
 * Reads S3's flat error XML, JSON problem details, Data Lake's JSON, or what a program made of one of them: an exception, a log. No
 * XML parser: the elements hold text only, and a document with a declaration (`<!DOCTYPE`, `<!ENTITY`, CDATA) or with other entities
 * than the five of XML is not read any further.
 */
export function parseErrorBody(body: string): ServerError | undefined {
  if (body.length > MAX_BODY) return undefined;
  if (body.includes(`401 Unauthorized: ${TEMP_URL_INVALID}`)) {
    return { code: NOT_VALID, message: "", fields: new Map() };
  }
  const text = unescaped(body);
  const found = (body.trimStart().startsWith("{") ? jsonFields(body) : undefined) ?? xmlFields(text);
  const fields = found?.has("Code") || found?.has("code") ? found : (wordsOf(text) ?? found);
  const code = fields?.get("Code") ?? fields?.get("code");
  if (fields === undefined || code === undefined) return undefined;
  const message = fields.get("Message") ?? fields.get("message") ?? fields.get("detail") ?? "";
  // Azure writes the request's id and its time behind what it says.
  const said = message.replace(/(?:\sRequestId|\nTime):[\s\S]*$/, "");
  return { code, message: said, fields: withLines(fields) };
}

function xmlFields(body: string): ReadonlyMap<string, string> | undefined {
  if (body.includes("<!")) return undefined;
  const fields = new Map<string, string>();
  for (const [, name = "", text = ""] of body.matchAll(/<([A-Za-z][A-Za-z0-9-]{0,63})>([^<]*)<\/\1>/g)) {
    // The first one wins, so that nothing further down can change what was read.
    if (!fields.has(name)) fields.set(name, withoutMargin(unescapeXml(text).replaceAll("\r", "")));
  }
  return fields;
}

/** Whoever shows a document with its structure gives a long text lines of its own. No server's text begins with a line end. */
function withoutMargin(text: string): string {
  return text.startsWith("\n") ? text.trim() : text;
}

function unescapeXml(text: string): string {
  return text.replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => ENTITIES[name] as string);
}

function jsonFields(body: string): ReadonlyMap<string, string> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const members: Readonly<Record<string, unknown>> = Object(value);
  // Azure's Data Lake has it one level down.
  const entries = Object.entries(Object(members["code"] === undefined ? (members["error"] ?? members) : members));
  // An exception of Azure's SDK for JavaScript has the answer's elements in its details.
  const details = Object.entries(Object(members["details"]));
  const texts = [...entries, ...details].flatMap(([name, text]) =>
    typeof text === "string" ? [[name, text] as const, [capital(name), text] as const] : [],
  );
  return new Map(texts.reverse());
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
