/**
 * `Content-Disposition`, RFC 6266.
 * @module
 */

export interface ContentDisposition {
  /** In lower case. */
  readonly type: string;
  readonly filename: string | undefined;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const HEAD = new RegExp(`^[ \\t]*(${TOKEN})[ \\t]*`);
const PARAMETER = new RegExp(`;[ \\t]*(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))[ \\t]*`, "y");

/** Reads type and file name (`filename*` before `filename`); `undefined` if the value is malformed. */
export function parseContentDisposition(value: string): ContentDisposition | undefined {
  const head = HEAD.exec(value);
  if (head === null) return undefined;
  let plain: string | undefined;
  let extended: string | undefined;
  PARAMETER.lastIndex = head[0].length;
  while (PARAMETER.lastIndex < value.length) {
    const match = PARAMETER.exec(value);
    if (match === null) return undefined;
    const name = match[1]?.toLowerCase();
    const text = match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? "";
    if (name === "filename") plain = text;
    if (name === "filename*") extended = decodeExtended(text);
  }
  return { type: (head[1] ?? "").toLowerCase(), filename: extended ?? plain };
}

/** RFC 8187 `UTF-8''percent-encoded`. */
function decodeExtended(text: string): string | undefined {
  const encoded = /^utf-8'[^']*'(.*)$/i.exec(text)?.[1];
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

/**
 * Writes a disposition. Slashes and backslashes of a name become `_`, because a name must not lead to another folder. A name that is unsafe in a
 * quoted string becomes an ASCII substitute and `filename*` (RFC 6266 appendix D: browsers read percent signs differently).
 *
 * @example
 * contentDisposition("attachment", "naïve.txt"); // attachment; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt
 */
export function contentDisposition(type: "inline" | "attachment", name?: string): string {
  if (name === undefined || name === "") return type;
  const filename = name.replace(/[/\\]/g, "_");
  const ascii = filename.replace(/[^\x20-\x7e]|["%]/gu, "_");
  if (ascii === filename) return `${type}; filename="${filename}"`;
  // encodeURIComponent throws on half a surrogate pair.
  const encoded = encodeURIComponent(filename.replace(/\p{Surrogate}/gu, "\ufffd")).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${type}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
