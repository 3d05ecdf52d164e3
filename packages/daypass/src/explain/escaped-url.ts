import { carriedUrl } from "./carried-url.ts";
import type { Cause } from "./explanation.ts";

// Some programs escape what is escaped: &amp;amp;, \\\\u0026. Of a shell only what ends a word or begins a pattern.
const ESCAPED =
  /&(?:(?:amp|#0*38|#x0*26);)+|&(?:#0*(\d{2,3})|#x0*([0-9a-f]{2})|equals);|(?<!\\)\\+(?:u00([0-9a-f]{2})|([/&?=]))/gi;

/** URLs that were copied out of HTML, XML, JSON or a shell command, or with quotes around them, and those that a token is. */
export function unescapeUrl(url: string): { readonly text: string; readonly escaped?: Cause | undefined } {
  const text = carriedUrl(url.trim().replace(/^(["'`<]|\*\*)(.*?)(?:["'`>]|\*\*)$/, "$2"));
  const [found] = text.match(ESCAPED) ?? [];
  if (found === undefined) return { text };
  const source = found.startsWith("&") ? "HTML or XML" : /u00|\/$/.test(found) ? "JSON" : "a shell command";
  return {
    text: text.replace(ESCAPED, unescaped),
    escaped: {
      code: "HTML_ESCAPED",
      sentence: `The URL was copied from ${source}: it has ${found} instead of ${found.replace(ESCAPED, unescaped)}.`,
      evidence: ["The rest of this explanation is about the URL without that."],
      fix: "Unescape the URL before it is used.",
    },
  };
}

function unescaped(found: string, decimal?: string, hex?: string, unicode?: string, character?: string): string {
  if (character !== undefined) return character;
  const code = decimal === undefined ? Number.parseInt(hex ?? unicode ?? "", 16) : Number(decimal);
  if (/^&equals;$/i.test(found)) return "=";
  return Number.isNaN(code) ? "&" : String.fromCharCode(code);
}
