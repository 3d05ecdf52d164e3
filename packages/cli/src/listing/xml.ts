import { CommandError } from "../command.ts";

/** An element: its children, or its text where it has none. Attributes are read over. */
export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

interface OpenElement extends XmlElement {
  text: string;
  readonly children: XmlElement[];
}

const MAX_DEPTH = 16;
const MAX_TAG = 4096;
/** Of a reference, between `&` and `;`. */
const MAX_REFERENCE = 10;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);
const TAG = /^(\/?)([A-Za-z_][\w.:-]{0,127})((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)$/;

/**
 * Reads the little of XML that storage servers write: elements, text, the five entities and character references. A document
 * type, which is where entities are declared, a comment, CDATA and processing instructions are refused: no server has a reason
 * to send them, and each is a way to make two parsers read two things.
 */
export function parseXml(text: string): XmlElement {
  let at = declarationEnd(text);
  const open: OpenElement[] = [];
  for (;;) {
    const start = text.indexOf("<", at);
    if (start < 0) throw malformed("an end tag, found the end");
    const inner = open.at(-1);
    const between = text.slice(at, start);
    if (inner !== undefined) inner.text += between;
    else if (between.trim() !== "") throw malformed("one element, found text outside");
    const end = text.indexOf(">", start);
    const isTag = end >= 0 && end - start <= MAX_TAG;
    const [, slash, name, , empty] = isTag ? (TAG.exec(text.slice(start + 1, end)) ?? []) : [];
    if (name === undefined) throw malformed("plain elements, found other markup");
    at = end + 1;
    if (slash === "/") {
      if (inner?.name !== name || empty === "/") throw malformed("matching end tags, found another");
      open.pop();
      finish(inner, open.at(-1));
    } else {
      const element: OpenElement = { name, text: "", children: [] };
      if (empty !== "/") open.push(element);
      else finish(element, inner);
      if (open.length > MAX_DEPTH) throw malformed(`at most ${MAX_DEPTH} levels, found more`);
      if (empty === "/" && inner === undefined) return whole(element, text.slice(at));
    }
    if (open.length === 0 && inner !== undefined) return whole(inner, text.slice(at));
  }
}

/** The text of the first child of that name; empty where there is none. */
export function childText(element: XmlElement, name: string): string {
  return element.children.find((child) => child.name === name)?.text ?? "";
}

function declarationEnd(text: string): number {
  const [declaration = ""] = /^\ufeff?\s*(?:<\?xml\s[^<>?]*\?>)?/.exec(text) ?? [];
  return declaration.length;
}

function finish(element: OpenElement, parent: OpenElement | undefined): void {
  element.text = element.children.length > 0 ? "" : unescapeXml(element.text);
  parent?.children.push(element);
}

function whole(root: XmlElement, rest: string): XmlElement {
  if (rest.trim() !== "") throw malformed("one element, found more behind it");
  return root;
}

/** One by one, as `replace` finds all of them before it calls back: a page of `&` took 15 s and 1.7 GB. */
function unescapeXml(text: string): string {
  let read = "";
  let start = 0;
  for (let at = text.indexOf("&"); at >= 0; at = text.indexOf("&", start)) {
    const end = text.indexOf(";", at);
    const name = end < 0 || end - at > MAX_REFERENCE + 1 ? "" : text.slice(at + 1, end);
    const character = ENTITIES.get(name) ?? reference(name);
    if (character === undefined) throw malformed("the five entities of XML, found another");
    read += text.slice(start, at) + character;
    start = end + 1;
  }
  return start === 0 ? text : read + text.slice(start);
}

function reference(name: string): string | undefined {
  const [, hex, decimal] = /^#(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}))$/.exec(name) ?? [];
  const code = hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16);
  return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : undefined;
}

function malformed(rest: string): CommandError {
  return new CommandError(`expected XML with ${rest}: the server's answer cannot be trusted`, "MALFORMED_ANSWER");
}
