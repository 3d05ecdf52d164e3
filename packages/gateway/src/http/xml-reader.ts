/**
 * Reads the XML of storage servers, requests and responses: elements and text. Attributes are skipped. Refuses DTDs, processing instructions
 * and entities other than XML's five. One pass, linear in time. See `docs/decisions/0033-parsers.md`.
 * @module
 */
import { excerpt } from "./excerpt.ts";
import { OUTSIDE_XML, S3_NAMESPACE } from "./xml.ts";

/** An element of a document. */
export interface ReadElement {
  /** The name without its prefix. */
  readonly name: string;
  /** The child elements, in document order. */
  readonly children: readonly ReadElement[];
  /** The text with references resolved. Empty if the element has children: only white space may stand between them. */
  readonly text: string;
}

/** Options of {@link readXml}. */
export interface XmlOptions {
  /** Maximum number of elements, 10,000 by default. */
  readonly elements?: number | undefined;
  /**
   * Whether texts may refer to characters outside XML 1.0, such as `&#x1;`. S3 writes keys of responses so, and refuses such a
   * reference in a request (riak_cs #974). False by default.
   */
  readonly anyCharacter?: boolean | undefined;
  /** Whether elements may be in any namespace. By default only in S3's or in none, as S3 accepts them. */
  readonly anyNamespace?: boolean | undefined;
  /** Characters of a text that are kept, all by default. The rest is dropped unread: a caller with a limit passes one more than that. */
  readonly longestText?: number | undefined;
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

/** Prefix → namespace. The empty prefix stands for names without a prefix. */
type Namespaces = ReadonlyMap<string, string>;

/**
 * Reads a document in UTF-8. Does not check its elements against a schema.
 *
 * @param bytes the document
 * @param root the required name of the root element; any name if `undefined`
 * @throws {MalformedXml} for bytes that are not such a document
 * @example
 * ```ts
 * import { readXml } from "@daypass/gateway/xml";
 *
 * const error = readXml(new TextEncoder().encode("<Error><Code>NoSuchKey</Code></Error>"), "Error");
 * console.log(error.children[0]?.text); // NoSuchKey
 * ```
 */
export function readXml(bytes: Uint8Array, root: string | undefined, options: XmlOptions = {}): ReadElement {
  const document = parse(decode(bytes), options);
  if (root !== undefined && document.name !== root)
    throw malformed(`the root element is ${excerpt(document.name)}. It must be ${root}`);
  return document;
}

function decode(bytes: Uint8Array): string {
  let text: string;
  try {
    // Drops a byte order mark. Other encodings fail here, or by their NULs below.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed("the document is not UTF-8. It must be");
  }
  if (text.search(OUTSIDE_XML) >= 0) throw malformed("the document has a character that XML 1.0 forbids. Remove it");
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

const DECLARATION =
  /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(["'])1\.[01]\1(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(["'])[uU][tT][fF]-8\2)?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(["'])(?:yes|no)\3)?[ \t\n]*\?>/;

function parse(text: string, options: XmlOptions): ReadElement {
  const {
    elements: maxElements = 10_000,
    anyCharacter = false,
    anyNamespace = false,
    longestText = Infinity,
  } = options;
  const refused = anyCharacter ? SURROGATE : OUTSIDE_XML;
  let at = text.startsWith("<?") ? (DECLARATION.exec(text)?.[0].length ?? 0) : 0;
  const open: OpenElement[] = [];
  let document: ReadElement | undefined;
  let elements = 0;

  function endOf(mark: string, from: number): number {
    const end = text.indexOf(mark, from);
    if (end < 0) throw malformed(`the document ends before ${mark}. It must be complete`);
    return end;
  }

  function addText(added: string): void {
    const parent = open.at(-1);
    if (parent !== undefined) parent.text = (parent.text + added).slice(0, longestText);
    else if (/[^ \t\n]/.test(added)) throw malformed("text stands outside the root element. Remove it");
  }

  function openTag(): void {
    const tag = readTag(text, at, open.at(-1)?.namespaces ?? NO_NAMESPACE);
    at = tag.end;
    elements += 1;
    if (document !== undefined) throw malformed("the document has two root elements. It must have one");
    if (open.length >= MAX_DEPTH) throw malformed(`the document has over ${MAX_DEPTH} levels. It must have fewer`);
    if (elements > maxElements) throw malformed(`the document has over ${maxElements} elements. It must have fewer`);
    if (!anyNamespace) expectS3Namespace(tag.element);
    open.push(tag.element);
    if (tag.empty) close(tag.element.qualifiedName);
  }

  function close(qualifiedName: string): void {
    const closed = open.pop();
    if (closed?.qualifiedName !== qualifiedName)
      throw malformed(`the end tag ${excerpt(qualifiedName)} does not close the element that is open. Correct it`);
    const { name, children } = closed;
    if (children.length > 0 && /[^ \t\n]/.test(closed.text)) {
      throw malformed(`${excerpt(name)} has text between its elements. Remove the text`);
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
      if (raw.includes("]]>")) throw malformed("the text contains ]]>. Write it as ]]&gt;");
      addText(withReferences(raw, refused, longestText));
      at = end < 0 ? text.length : end;
    } else if (text.startsWith("</", at)) {
      const end = match(END_TAG, text, at);
      if (end === undefined) throw malformed("an end tag is not well-formed. Write it as </name>");
      close(end[1] ?? "");
      at += end[0].length;
    } else if (text.startsWith("<!--", at)) {
      const end = endOf("--", at + 4);
      if (text.charAt(end + 2) !== ">") throw malformed("a comment contains --. Remove it");
      at = end + 3;
    } else if (text.startsWith("<![CDATA[", at) && open.length > 0) {
      const end = endOf("]]>", at + 9);
      addText(text.slice(at + 9, end));
      at = end + 3;
    } else {
      // Refuses `<!DOCTYPE`, `<!ENTITY` and `<?`, because they are not names.
      openTag();
    }
  }
  if (document === undefined) throw malformed("the document ends inside its root element. It must be complete");
  return document;
}

const LESS = 60;

// Sticky, and no two parts match the same character: linear.
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
  if (qualifiedName === undefined) throw malformed("the document has a DOCTYPE or other such markup. Remove it");
  let at = start + 1 + qualifiedName.length;
  const attributes = new Map<string, string>();
  for (;;) {
    const end = match(TAG_END, text, at);
    if (end !== undefined) {
      const namespaces = namespacesOf(attributes, outer);
      const name = qualifiedName.slice(qualifiedName.indexOf(":") + 1);
      const element = { qualifiedName, name, namespaces, children: [], text: "" };
      return { element, empty: end[1] === "/", end: at + end[0].length };
    }
    at += match(SPACE, text, at)?.[0].length ?? 0;
    const name = match(NAME, text, at)?.[0] ?? "";
    const value = match(VALUE, text, at + name.length);
    if (name === "" || value === undefined || attributes.has(name) || attributes.size === MAX_ATTRIBUTES) {
      throw malformed(
        `an attribute of ${excerpt(qualifiedName)} is repeated, too many or without a quoted value. Correct it`,
      );
    }
    attributes.set(name, withReferences(value[1] ?? value[2] ?? "", OUTSIDE_XML));
    at += name.length + value[0].length;
    if (!/[ \t\n/>]/.test(text.charAt(at))) throw malformed("two attributes have no space between them. Add one");
  }
}

function namespacesOf(attributes: ReadonlyMap<string, string>, outer: Namespaces): Namespaces {
  const declared: [prefix: string, namespace: string][] = [];
  for (const [name, value] of attributes) {
    if (name === "xmlns" || name.startsWith("xmlns:")) declared.push([name.slice(6), value]);
  }
  return declared.length === 0 ? outer : new Map([...outer, ...declared]);
}

function expectS3Namespace({ qualifiedName, namespaces }: OpenElement): void {
  const colon = qualifiedName.indexOf(":");
  const namespace = namespaces.get(qualifiedName.slice(0, Math.max(colon, 0)));
  if (namespace !== S3_NAMESPACE && `${namespace}/` !== S3_NAMESPACE && !(colon < 0 && namespace === "")) {
    throw malformed(`${excerpt(qualifiedName)} is in another namespace. Use ${S3_NAMESPACE} or none`);
  }
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);
/** Half of a character. */
const SURROGATE = /[\ud800-\udfff]/u;
const NUMBER = /^#(?:([0-9]{1,7})|x([0-9a-fA-F]{1,6}))$/;
/** `#` and seven digits. */
const MAX_REFERENCE = 8;

/**
 * Resolves references one by one and stops at the first invalid one. `replace` collects all matches before its first callback: 4 MB of `&`
 * took half a gigabyte and five seconds.
 */
function withReferences(text: string, refused: RegExp, longest = Infinity): string {
  let read = "";
  let start = 0;
  for (let at = text.indexOf("&"); at >= 0 && read.length < longest; at = text.indexOf("&", start)) {
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
  throw malformed(`the reference &${name}; is not valid here. Write a plain & as &amp;`);
}

/** Returns all children with this name. */
export function childrenOf({ children }: ReadElement, name: string): readonly ReadElement[] {
  return children.filter((child) => child.name === name);
}

/**
 * Returns the text of the only child with this name, or `undefined` without such a child.
 * @throws {MalformedXml} for two children with this name, or one with elements
 */
export function optionalText(element: ReadElement, name: string): string | undefined {
  const [child, another] = childrenOf(element, name);
  if (another !== undefined) throw malformed(`${element.name} has more than one ${name}. It must have one`);
  return child === undefined ? undefined : textOf(child);
}

/**
 * Returns the text of the only child with this name.
 * @throws {MalformedXml} if there is not exactly one, or it has elements
 */
export function requiredText(element: ReadElement, name: string): string {
  const text = optionalText(element, name);
  if (text === undefined) throw malformed(`${element.name} has no ${name}. It must have one`);
  return text;
}

/**
 * Returns the text of an element.
 * @throws {MalformedXml} if the element has children
 */
export function textOf({ name, children, text }: ReadElement): string {
  if (children.length > 0) throw malformed(`${name} contains elements. It must contain text`);
  return text;
}

/**
 * Refuses children with other names, because an element that is not understood must not be skipped.
 * @throws {MalformedXml}
 */
export function expectOnly(element: ReadElement, names: readonly string[]): void {
  const other = element.children.find(({ name }) => !names.includes(name));
  if (other !== undefined)
    throw malformed(`${element.name} has no element ${excerpt(other.name)}. Remove it, or correct its name`);
}

/** Thrown for bytes that are not the expected document. The message is for the operator. */
export class MalformedXml extends Error {
  override readonly name = "MalformedXml";
}

/** Returns the error for a document that is well-formed and not the expected one. */
export function malformed(message: string): MalformedXml {
  return new MalformedXml(message);
}
