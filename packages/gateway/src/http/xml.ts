/**
 * Writes S3's XML. Values are escaped here and nowhere else, so no part of a key can become markup.
 * @module
 */

/** The content of an element. */
export type XmlContent = string | number | boolean | Date | XmlElements;

/** Elements by name, in order. `undefined` omits an element, and a list repeats it. A name that begins with `@` is an attribute. */
export interface XmlElements {
  readonly [name: string]: XmlContent | readonly XmlContent[] | undefined;
}

export const S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

/** The beginning of a document. White space may follow, but nothing may precede it. */
export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** A document with this root, in S3's namespace by default. The elements of a list of contents follow each other. */
export function xmlDocument(
  root: string,
  content: XmlContent | readonly XmlElements[],
  namespace: string = S3_NAMESPACE,
): string {
  return XML_DECLARATION + element(root, content, ` xmlns="${namespace}"`);
}

function element(name: string, content: XmlElements[string], outerAttributes = ""): string {
  if (content === undefined) return "";
  if (typeof content !== "object" || content instanceof Date) {
    const text = content instanceof Date ? content.toISOString() : escapeXml(String(content));
    return `<${name}${outerAttributes}>${text}</${name}>`;
  }
  let attributes = outerAttributes;
  let text = "";
  for (const [child, value] of isList(content) ? content.flatMap(Object.entries) : Object.entries(content)) {
    if (isList(value)) for (const each of value) text += element(child, each);
    else if (child.startsWith("@")) attributes += ` ${child.slice(1)}="${escapeXml(String(value))}"`;
    else text += element(child, value);
  }
  return `<${name}${attributes}>${text}</${name}>`;
}

function isList(value: XmlElements[string]): value is readonly XmlContent[] {
  return Array.isArray(value);
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
