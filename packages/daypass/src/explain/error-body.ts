import { fieldsInText, unescaped, withLines, withoutEntities } from "./copied-answer.ts";

/** A server's answer. */
export interface ServerError {
  readonly code: string;
  readonly message: string;
  /** The elements or properties of the answer by name. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Swift's message, as text or in a page, for an expired URL and for a wrong signature alike. */
const TEMP_URL_INVALID = "401 Unauthorized: Temp URL invalid";

/** Code of an answer without a reason: the URL has expired, or its signature is wrong. */
export const NOT_VALID = "not valid";

const MAX_BODY = 262_144;

/**
 * Reads S3's flat error XML, JSON problem details, Data Lake's JSON, or an exception or log with one of them. No XML parser:
 * the elements contain text only, and a document with a declaration (`<!DOCTYPE`, `<!ENTITY`, CDATA) is not read any further.
 */
export function parseErrorBody(body: string): ServerError | undefined {
  if (body.length > MAX_BODY) return undefined;
  if (body.includes(TEMP_URL_INVALID)) return { code: NOT_VALID, message: "", fields: new Map() };
  const text = unescaped(body);
  const found = (body.trimStart().startsWith("{") ? jsonFields(body) : undefined) ?? xmlFields(text);
  const fields = found?.has("Code") || found?.has("code") ? found : (fieldsInText(text) ?? found);
  const code = fields?.get("Code") ?? fields?.get("code");
  if (fields === undefined || code === undefined) return undefined;
  const message = fields.get("Message") ?? fields.get("message") ?? fields.get("detail") ?? "";
  // Azure appends the request's id and time.
  return { code, message: message.replace(/(?:\sRequestId|\nTime):[\s\S]*$/, ""), fields: withLines(fields) };
}

function xmlFields(body: string): ReadonlyMap<string, string> | undefined {
  if (body.includes("<!")) return undefined;
  const fields = new Map<string, string>();
  for (const [, name = "", content = ""] of body.matchAll(/<([A-Za-z][A-Za-z0-9-]{0,63})>([^<]*)<\/\1>/g)) {
    const text = withoutEntities(content).replaceAll("\r", "");
    // A pretty printer puts a long text on separate lines. The first element of a name counts.
    if (!fields.has(name)) fields.set(name, text.startsWith("\n") ? text.trim() : text);
  }
  return fields;
}

function jsonFields(body: string): ReadonlyMap<string, string> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const members: Readonly<Record<string, unknown>> = Object(value);
  // Azure's Data Lake nests the error, and an exception of Azure's SDK for JavaScript has the elements in its details.
  const error = Object(members["code"] === undefined ? (members["error"] ?? members) : members);
  const texts = [error, Object(members["details"])]
    .flatMap((object) => Object.entries(object))
    .flatMap(([name, text]) =>
      typeof text === "string"
        ? [[name, text] as const, [name.charAt(0).toUpperCase() + name.slice(1), text] as const]
        : [],
    );
  return new Map(texts.reverse());
}
