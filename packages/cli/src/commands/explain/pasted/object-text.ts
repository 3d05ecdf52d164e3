import { closingQuote, endOutside } from "./quoted.ts";
import { headerRecord, type SentParts } from "./sent-parts.ts";

/** The members of the object that begins at a place, by their names; `...` stands for what is spread into it. */
export function members(text: string, begin: number): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let at = begin + 1;
  while (at < text.length) {
    at += /^[\s,]*/.exec(text.slice(at, at + 1000))?.[0].length ?? 0;
    const quote = text.charAt(at);
    if (quote === "}") break;
    const isQuoted = quote === '"' || quote === "'";
    const close = isQuoted ? closingQuote(text, at + 1, quote, "\\") : undefined;
    const name =
      close === undefined
        ? (/^(?:\.\.\.|[\w$-]+)/.exec(text.slice(at, at + 100))?.[0] ?? "")
        : text.slice(at + 1, close);
    if (name === "") {
      // A comment, or what is no object: nobody can tell what else is in it.
      found.set("...", "");
      break;
    }
    at = close === undefined ? at + name.length : close + 1;
    const end = endOfValue(text, at);
    found.set(
      name,
      text
        .slice(at, end)
        .replace(/^\s*:\s*/, "")
        .trim(),
    );
    at = end;
  }
  return found;
}

/** Where a value ends: before the next one, or with what it stands in. */
export function endOfValue(text: string, from: number): number {
  return endOutside(text, from, { by: "\\", isEnd: (character) => /[,)\]}]/.test(character) });
}

/** Where the last of several values ends, with commas between: before what closes them. */
export function endOfValues(text: string, from: number): number {
  let at = endOfValue(text, from);
  while (text.charAt(at) === ",") at = endOfValue(text, at + 1);
  return at;
}

const ESCAPED: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** What a text between quotes says. `undefined` for all else. */
export function literal(value = ""): string | undefined {
  const [, quote, inside = ""] = /^(["'`])(.*)\1$/s.exec(value) ?? [];
  if (quote === undefined || closingQuote(value, 1, quote, "\\") !== value.length - 1) return undefined;
  if (quote === "`" && inside.includes("${")) return undefined;
  return inside.replace(
    /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S]))/g,
    (_, long?: string, short?: string, other = "") => {
      const code = long ?? short;
      return code === undefined ? (ESCAPED[other] ?? other) : String.fromCharCode(Number.parseInt(code, 16));
    },
  );
}

/** The headers that an object tells. `undefined` where something else than a text tells one, but for a login, of which the name is read. */
export function headersOfObject(object: string): SentParts["headers"] {
  const found = members(object, 0);
  if (found.has("...")) return undefined;
  const pairs = [...found].map(([name, told]) => [name, literal(told)] as const);
  if (pairs.some(([name, told]) => told === undefined && !/^authorization$/i.test(name))) return undefined;
  return headerRecord(pairs.map(([name, told = "…"]) => [name, told]));
}
