/**
 * Reads XML of S3, of a request or of an answer: elements, text, attributes that nobody looks at. What could make a parser do anything but
 * read is no part of it: no DTD, no entities but the five, no processing instructions. One pass, linear in time.
 * See `docs/decisions/0033-xml.md`.
 * @module
 */
import { OUTSIDE_XML, S3_NAMESPACE } from "./xml.ts";

export interface ReadElement {
  /** Without its prefix. */
  readonly name: string;
  readonly children: readonly ReadElement[];
  /** As it stands, with references resolved. Empty where there are children: what stands between them is white space. */
  readonly text: string;
}

export interface XmlLimits {
  /** Elements in all. 10,000 unless told. */
  readonly elements?: number | undefined;
  /**
   * Whether texts may refer to characters that XML 1.0 does not have, such as `&#x1;`. S3 writes the keys of its answers so, and takes no such
   * reference in a request (riak_cs #974). Not, unless told.
   */
  readonly anyCharacter?: boolean | undefined;
}

/** The deepest document that S3 takes has six levels. */
const MAX_DEPTH = 12;
const MAX_ATTRIBUTES = 16;

interface OpenElement {
  readonly qualifiedName: string;
  readonly name: string;
  readonly namespaces: Namespaces;
  readonly children: ReadElement[];
  text: string;
}

/** Prefix → namespace; the empty prefix is that of names without one. */
type Namespaces = ReadonlyMap<string, string>;

/**
 * Reads one document whose root has this name.
 *
 * Elements are in S3's namespace or in none, as S3 tolerates it.
 *
 * @throws {MalformedXml}
 */
export function readXml(bytes: Uint8Array, root: string, limits: XmlLimits = {}): ReadElement {
  const document = parse(decode(bytes), limits);
  if (document.name !== root) throw malformed(`expected the element ${root} at the root, found another`);
  return document;
}

function decode(bytes: Uint8Array): string {
  let text: string;
  try {
    // Drops a byte order mark. Any other encoding than UTF-8 is no UTF-8 or has NULs, which no document may hold.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed("expected a document in UTF-8, found other bytes");
  }
  if (text.search(OUTSIDE_XML) >= 0) throw malformed("expected the characters of XML 1.0, found another");
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

const DECLARATION =
  /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(["'])1\.[01]\1(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(["'])[uU][tT][fF]-8\2)?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(["'])(?:yes|no)\3)?[ \t\n]*\?>/;

function parse(text: string, { elements: maxElements = 10_000, anyCharacter = false }: XmlLimits): ReadElement {
  const refused = anyCharacter ? SURROGATE : OUTSIDE_XML;
  let at = text.startsWith("<?") ? (DECLARATION.exec(text)?.[0].length ?? 0) : 0;
  const open: OpenElement[] = [];
  let document: ReadElement | undefined;
  let elements = 0;

  /** The end of something that started at `at`. */
  function endOf(mark: string, from: number): number {
    const end = text.indexOf(mark, from);
    if (end < 0) throw malformed(`expected ${mark}, found the end`);
    return end;
  }

  function addText(added: string): void {
    const parent = open.at(-1);
    if (parent !== undefined) parent.text += added;
    else if (/[^ \t\n]/.test(added)) throw malformed("expected one element at the root, found text beside it");
  }

  function openTag(): void {
    const tag = readTag(text, at, open.at(-1)?.namespaces ?? NO_NAMESPACE);
    at = tag.end;
    elements += 1;
    if (document !== undefined) throw malformed("expected one element at the root, found another");
    if (open.length >= MAX_DEPTH) throw malformed(`expected at most ${MAX_DEPTH} levels, found more`);
    if (elements > maxElements) throw malformed(`expected at most ${maxElements} elements, found more`);
    open.push(tag.element);
    if (tag.empty) close(tag.element.qualifiedName);
  }

  function close(qualifiedName: string): void {
    const closed = open.pop();
    if (closed?.qualifiedName !== qualifiedName) throw malformed("expected the end of the open element, found another");
    const { name, children } = closed;
    if (children.length > 0 && /[^ \t\n]/.test(closed.text)) {
      throw malformed(`expected elements in ${name}, found text between them`);
    }
    const read = { name, children, text: children.length > 0 ? "" : closed.text };
    const parent = open.at(-1);
    if (parent === undefined) document = read;
    else parent.children.push(read);
  }

  while (at < text.length) {
    if (text.charCodeAt(at) !== LESS) {
      const end = text.indexOf("<", at);
      const raw = text.slice(at, end < 0 ? text.length : end);
      if (raw.includes("]]>")) throw malformed("expected text, found the end of a CDATA section");
      addText(withReferences(raw, refused));
      at = end < 0 ? text.length : end;
    } else if (text.startsWith("</", at)) {
      const end = match(END_TAG, text, at);
      if (end === undefined) throw malformed("expected the name of an element in its end, found something else");
      close(end[1] ?? "");
      at += end[0].length;
    } else if (text.startsWith("<!--", at)) {
      const end = endOf("--", at + 4);
      if (text.charAt(end + 2) !== ">") throw malformed("expected a comment without --, found one");
      at = end + 3;
    } else if (text.startsWith("<![CDATA[", at) && open.length > 0) {
      const end = endOf("]]>", at + 9);
      addText(text.slice(at + 9, end));
      at = end + 3;
    } else {
      // `<!DOCTYPE`, `<!ENTITY` and `<?` are no names, and end here.
      openTag();
    }
  }
  if (document === undefined) throw malformed("expected a document that is whole, found its end too early");
  return document;
}

const LESS = 60;

// S3's own names are letters and digits. Sticky, and no two parts can match the same character: linear.
const NAME = /[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_.-]*)?/y;
const SPACE = /[ \t\n]+/y;
const VALUE = /[ \t\n]*=[ \t\n]*(?:"([^"<]*)"|'([^'<]*)')/y;
const TAG_END = /[ \t\n]*(\/?)>/y;
const END_TAG = /<\/([^ \t\n>]*)[ \t\n]*>/y;

const NO_NAMESPACE: Namespaces = new Map([["", ""]]);

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

interface Tag {
  readonly element: OpenElement;
  readonly empty: boolean;
  readonly end: number;
}

/** Reads `<name attribute="value">`. */
function readTag(text: string, start: number, outer: Namespaces): Tag {
  const qualifiedName = match(NAME, text, start + 1)?.[0];
  if (qualifiedName === undefined) throw malformed("expected an element, found another kind of markup");
  let at = start + 1 + qualifiedName.length;
  const attributes = new Map<string, string>();
  for (;;) {
    const end = match(TAG_END, text, at);
    if (end !== undefined) {
      const namespaces = namespacesOf(attributes, outer);
      const element = { qualifiedName, name: localName(qualifiedName, namespaces), namespaces, children: [], text: "" };
      return { element, empty: end[1] === "/", end: at + end[0].length };
    }
    at += match(SPACE, text, at)?.[0].length ?? 0;
    const name = match(NAME, text, at)?.[0] ?? "";
    const value = match(VALUE, text, at + name.length);
    if (name === "" || value === undefined || attributes.has(name) || attributes.size === MAX_ATTRIBUTES) {
      throw malformed("expected attributes with a value, each once, found something else");
    }
    attributes.set(name, withReferences(value[1] ?? value[2] ?? "", OUTSIDE_XML));
    at += name.length + value[0].length;
    if (!/[ \t\n/>]/.test(text.charAt(at))) throw malformed("expected a space between attributes, found none");
  }
}

function namespacesOf(attributes: ReadonlyMap<string, string>, outer: Namespaces): Namespaces {
  const declared: [prefix: string, namespace: string][] = [];
  for (const [name, value] of attributes) {
    if (name === "xmlns" || name.startsWith("xmlns:")) declared.push([name.slice(6), value]);
  }
  return declared.length === 0 ? outer : new Map([...outer, ...declared]);
}

function localName(qualifiedName: string, namespaces: Namespaces): string {
  const colon = qualifiedName.indexOf(":");
  const namespace = namespaces.get(qualifiedName.slice(0, Math.max(colon, 0)));
  if (namespace !== S3_NAMESPACE && `${namespace}/` !== S3_NAMESPACE && !(colon < 0 && namespace === "")) {
    throw malformed("expected elements of S3's namespace or of none, found another");
  }
  return qualifiedName.slice(colon + 1);
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);
/** What is no character at all. */
const SURROGATE = /[\ud800-\udfff]/u;
const NUMBER = /^#(?:([0-9]{1,7})|x([0-9a-fA-F]{1,6}))$/;
/** `#` and seven digits. */
const MAX_REFERENCE = 8;

/**
 * One by one, and no further than the first that is none: `replace` finds all of them before it calls back, and took half a gigabyte and five
 * seconds for 4 MB of `&`.
 */
function withReferences(text: string, refused: RegExp): string {
  let read = "";
  let start = 0;
  for (let at = text.indexOf("&"); at >= 0; at = text.indexOf("&", start)) {
    const end = text.indexOf(";", at);
    const name = end < 0 || end - at > MAX_REFERENCE + 1 ? "" : text.slice(at + 1, end);
    read += text.slice(start, at) + (NAMED.get(name) ?? numbered(name, refused));
    start = end + 1;
  }
  return start === 0 ? text : read + text.slice(start);
}

function numbered(name: string, refused: RegExp): string {
  const [, decimal, hexadecimal] = NUMBER.exec(name) ?? [];
  const code = decimal === undefined ? Number.parseInt(hexadecimal ?? "", 16) : Number(decimal);
  const character = code <= 0x10ffff ? String.fromCodePoint(code) : "";
  if (character !== "" && character.search(refused) < 0) return character;
  throw malformed("expected one of XML's five entities or a character of XML, found another reference");
}

/** All children of this name. */
export function childrenOf({ children }: ReadElement, name: string): readonly ReadElement[] {
  return children.filter((child) => child.name === name);
}

/** The text of the one child of this name, if there is one. */
export function optionalText(element: ReadElement, name: string): string | undefined {
  const [child, another] = childrenOf(element, name);
  if (another !== undefined) throw malformed(`expected one ${name} in ${element.name}, found two`);
  return child === undefined ? undefined : textOf(child);
}

/** The text of the one child of this name. */
export function requiredText(element: ReadElement, name: string): string {
  const text = optionalText(element, name);
  if (text === undefined) throw malformed(`expected ${name} in ${element.name}, found none`);
  return text;
}

/** The text of an element without children. */
export function textOf({ name, children, text }: ReadElement): string {
  if (children.length > 0) throw malformed(`expected text in ${name}, found elements`);
  return text;
}

/** Refuses an element that has children of other names: what is not understood is not skipped. */
export function expectOnly(element: ReadElement, names: readonly string[]): void {
  const other = element.children.find(({ name }) => !names.includes(name));
  if (other !== undefined) throw malformed(`expected ${names.join(", ")} in ${element.name}, found ${other.name}`);
}

/** What is thrown for bytes that are not the document they should be. The text is for the operator. */
export class MalformedXml extends Error {
  override readonly name = "MalformedXml";
}

export function malformed(message: string): MalformedXml {
  return new MalformedXml(message);
}
