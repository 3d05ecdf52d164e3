/**
 * S3's XML as it is written. Every value is escaped here and nowhere else, so nothing of a key can become markup.
 * @module
 */
/** An element: its name, what is in it, and attributes. Content that is `undefined` leaves the element out. */
export type XmlElement = readonly [name: string, content: XmlContent | undefined, attributes?: XmlAttributes];

export type XmlContent = string | number | boolean | Date | readonly XmlElement[];

type XmlAttributes = Readonly<Record<string, string>>;

export const S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

/** What a document begins with. White space may follow, but nothing may stand before it. */
export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** A document in S3's namespace. */
export function xmlDocument(name: string, content: XmlContent): string {
  return xmlText([name, content, { xmlns: S3_NAMESPACE }]);
}

/** A document with this root. */
export function xmlText(root: XmlElement): string {
  return XML_DECLARATION + element(root);
}

function element([name, content, attributes = {}]: XmlElement): string {
  if (content === undefined) return "";
  let text = `<${name}`;
  for (const [attribute, value] of Object.entries(attributes)) text += ` ${attribute}="${escapeXml(value)}"`;
  return `${text}>${contentText(content)}</${name}>`;
}

function contentText(content: XmlContent): string {
  if (typeof content === "string") return escapeXml(content);
  if (typeof content !== "object") return String(content);
  if (content instanceof Date) return content.toISOString();
  let text = "";
  for (const child of content) text += element(child);
  return text;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  // A parser may turn a bare carriage return into a line feed.
  "\r": "&#13;",
};

/**
 * Text and attribute values. XML 1.0 has no way to write most control characters; like S3 (minio-py #716) this writes the
 * reference that XML 1.1 has for them, which says which key it is even if a strict parser stops there.
 * `encoding-type=url` is the way around it.
 */
export function escapeXml(text: string): string {
  return text
    .replace(/[&<>"\r]/g, (character) => ENTITIES[character] ?? "")
    .replace(OUTSIDE_XML, (character) => `&#x${(character.codePointAt(0) ?? 0).toString(16)};`);
}

/** Everything that is no `Char` of XML 1.0. */
export const OUTSIDE_XML: RegExp = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/**
 * A key for `encoding-type=url`. Slashes stay as S3 leaves them. A space is `%20`: those who decode a `+` and those who do not
 * read it alike.
 */
export function urlEncoded(key: string): string {
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
