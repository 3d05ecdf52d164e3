/**
 * Reads `multipart/form-data` (RFC 7578) as S3 does: the fields first, then one file, which is not held in memory. Refuses forms that two
 * readers could understand differently: a repeated field, a folded line or one without CR LF, a part without a name, a boundary that is not
 * followed by CR LF.
 * @module
 */
import { excerpt } from "./excerpt.ts";
import { MultipartError, type MultipartReader, malformed, multipartReader, tooLarge } from "./multipart-reader.ts";

export type FormField = readonly [name: string, value: string];

export interface MultipartForm {
  /** The fields before the file, in the order received. */
  readonly fields: readonly FormField[];
  /** `filename` of the file's part, unchanged; `"not-utf-8"` if it is in another encoding, such as Latin-1. */
  readonly fileName: { readonly text: string | undefined } | "not-utf-8";
  /** The file. Fails if the form has no end. Fields after it, and bytes after the closing boundary, are ignored. */
  readonly file: AsyncIterable<Uint8Array>;
}

export interface MultipartLimits {
  /** Bytes of everything before the file. */
  readonly fieldBytes: number;
  readonly fieldCount: number;
  /** Bytes after the file. */
  readonly restBytes: number;
}

const TYPE = /^multipart\/form-data\s*(?=;)/i;
// RFC 9110 §5.6.6, without the escapes of a quoted value: no boundary needs one.
const PARAMETER = /^;\s*([!#$%&'*+.^_`|~0-9a-z-]+)=(?:"([^"\\]*)"|([^\s"(),/:;<=>?@[\\\]]+))\s*/i;

/** Returns the boundary of a Content-Type; `undefined` if it is not a form, or repeats a parameter. */
export function formBoundary(contentType: string): string | undefined {
  const parameters = new Map<string, string>();
  let rest = contentType.replace(TYPE, "");
  if (rest === contentType) return undefined;
  while (rest !== "") {
    const [all, name = "", quoted, plain = ""] = PARAMETER.exec(rest) ?? [];
    const lower = name.toLowerCase();
    if (all === undefined || parameters.has(lower)) return undefined;
    parameters.set(lower, quoted ?? plain);
    rest = rest.slice(all.length);
  }
  const boundary = parameters.get("boundary") ?? "";
  // RFC 2046 §5.1.1: 1 to 70 characters, and no space at the end.
  return /^.{0,69}[^\s]$/.test(boundary) ? boundary : undefined;
}

const MAX_PART_HEAD = 2048;

/**
 * Reads the fields, up to the file.
 * @throws {MultipartError}
 */
export async function readMultipart(
  body: AsyncIterable<Uint8Array>,
  boundary: string,
  limits: MultipartLimits,
): Promise<MultipartForm> {
  const delimiter = ascii(`\r\n--${boundary}`);
  const input = multipartReader(body);
  let left = limits.fieldBytes;
  const until = async (end: Uint8Array, most = left): Promise<Uint8Array> => {
    const bytes = await input.until(end, Math.min(most, left));
    left -= bytes.length + end.length;
    return bytes;
  };
  // The first boundary must be at the very beginning. RFC 2046 allows text before it, but no browser sends any.
  await until(delimiter.subarray(2), 0);
  const fields: FormField[] = [];
  for (;;) {
    if (await isEnd(input))
      throw new MultipartError("no-file", "the form has no part named file. Add it as the last part");
    const { name, fileName } = partHead(await until(ascii("\r\n\r\n"), MAX_PART_HEAD));
    await refuseBoundary(input, delimiter);
    if (name === "file") return { fields, fileName, file: readFile(input, delimiter, limits) };
    if (fields.length >= limits.fieldCount) throw tooLarge(`send at most ${limits.fieldCount} fields`);
    if (fields.some(([other]) => other.toLowerCase() === name.toLowerCase()))
      throw malformed(`the field ${excerpt(name)} is repeated. Send it once`);
    fields.push([name, text(await until(delimiter))]);
  }
}

/** After a boundary: CR LF and a part, or `--` and the end. */
async function isEnd(input: MultipartReader): Promise<boolean> {
  if (await input.startsWith(ascii("\r\n"))) return false;
  if (!(await input.startsWith(ascii("--")))) throw malformed("a boundary is not followed by CR LF. Add it");
  await input.until(ascii("--"), 0);
  return true;
}

/** By RFC 2046, the empty line after a head may also begin a boundary: such a part is empty, or begins with the boundary. */
async function refuseBoundary(input: MultipartReader, delimiter: Uint8Array): Promise<void> {
  if (await input.startsWith(delimiter.subarray(2))) throw malformed("a value begins with the boundary. Change either");
}

/** Browsers write the file name in the encoding of their page, and most keys do not need it. Everything else must be UTF-8. */
function partHead(bytes: Uint8Array): { readonly name: string } & Pick<MultipartForm, "fileName"> {
  const decoded = utf8(bytes);
  const { name, fileName } = partNames(decoded ?? String.fromCharCode(...bytes));
  if (decoded !== undefined) return { name, fileName: { text: fileName } };
  if (name !== "file") throw malformed("a field is not UTF-8. Encode it in UTF-8");
  return { name, fileName: "not-utf-8" };
}

function partNames(head: string): { readonly name: string; readonly fileName: string | undefined } {
  let disposition: string | undefined;
  for (const line of head.split("\r\n").slice(1)) {
    const [, name = "", value = ""] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?(.*)$/.exec(line) ?? [];
    if (name === "") throw malformed("a line before the content of a part is not a header. Write it as Name: value");
    const lower = name.toLowerCase();
    if (lower === "content-disposition") {
      if (disposition !== undefined) throw malformed("a part has two Content-Disposition headers. Send one");
      disposition = value;
    }
    // RFC 7578 §4.7: senders "SHOULD NOT generate any parts with a Content-Transfer-Encoding".
    if (lower === "content-transfer-encoding" && !/^(?:7bit|8bit|binary)$/i.test(value)) {
      throw malformed(`a part has Content-Transfer-Encoding ${excerpt(value)}. Send its bytes unchanged`);
    }
  }
  const parameters = new Map<string, string>();
  let rest = disposition ?? "";
  const start = /^form-data(?=;)/i.exec(rest);
  if (start === null) throw malformed("a part has no Content-Disposition: form-data. Add it");
  rest = rest.slice(start[0].length);
  while (rest !== "") {
    // Only the quote can be escaped: some browsers send C:\dir\name without escapes.
    const match = /^;\s*([a-z*]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s";]*))\s*/i.exec(rest);
    if (match === null) throw malformed('write Content-Disposition as form-data; name="…"; filename="…"');
    const [all, parameter = "", quoted, plain = ""] = match;
    const lower = parameter.toLowerCase();
    if (parameters.has(lower)) throw malformed(`a Content-Disposition repeats ${excerpt(lower)}. Send it once`);
    parameters.set(lower, quoted === undefined ? plain : quoted.replaceAll('\\"', '"'));
    rest = rest.slice(all.length);
  }
  const name = parameters.get("name");
  if (name === undefined || name === "") throw malformed("a part has no name. Add one");
  // Names are case-insensitive: a part `File` before `file` is a second file, not a field without a condition.
  return { name: /^file$/i.test(name) ? "file" : name, fileName: parameters.get("filename") };
}

async function* readFile(
  input: MultipartReader,
  delimiter: Uint8Array,
  limits: MultipartLimits,
): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytes, found } = await input.before(delimiter);
    if (bytes.length > 0) yield bytes;
    if (found) break;
  }
  // S3: "The file or content must be the last field in the form. Any fields below it are ignored." A second file is refused.
  let left = limits.restBytes;
  const until = async (end: Uint8Array, most = left): Promise<Uint8Array> => {
    const bytes = await input.until(end, Math.min(most, left), "send fewer bytes after the file");
    left -= bytes.length + end.length;
    return bytes;
  };
  while (!(await isEnd(input))) {
    const { name } = partHead(await until(ascii("\r\n\r\n"), MAX_PART_HEAD));
    await refuseBoundary(input, delimiter);
    if (name === "file") throw new MultipartError("two-files", "the form has two parts named file. Send one");
    await until(delimiter);
  }
  // RFC 2046 §5.1.1: what follows the closing boundary is "to be ignored".
  await input.skip(left);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function text(bytes: Uint8Array): string {
  const decoded = utf8(bytes);
  if (decoded === undefined) throw malformed("a field is not UTF-8. Encode it in UTF-8");
  return decoded;
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
