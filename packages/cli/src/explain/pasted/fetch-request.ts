import { closingQuote, endOutside } from "./quoted.ts";
import { headerRecord, type SentParts } from "./sent-parts.ts";
import { type UrlPlace, variableOf } from "./url-place.ts";

const CALL = /\bfetch\(\s*/g;

/** The request of a call of `fetch` for a URL, as Chrome and Firefox copy it and as people write it. */
export function fetchRequest(place: UrlPlace): SentParts | undefined {
  const { text, index } = place;
  const variable = variableOf(place);
  let at = 0;
  for (;;) {
    CALL.lastIndex = at;
    const call = CALL.exec(text);
    if (call === null) return undefined;
    const from = call.index + call[0].length;
    const end = endOfValue(text, from);
    const isVariable = variable !== undefined && text.slice(from, end).trim() === variable;
    if ((index >= from && index < end) || isVariable) return requestOf(text, end);
    at = end;
  }
}

function requestOf(text: string, end: number): SentParts {
  const [before] = /^\s*,\s*(?=\{)/.exec(text.slice(end, end + 200)) ?? [];
  // What is handed over as a variable tells nothing.
  if (before === undefined)
    return /^\s*,\s*[^\s)]/.test(text.slice(end, end + 200)) ? {} : { method: "GET", headers: {} };
  const init = members(text, end + before.length);
  const method = init.has("method") ? literal(init.get("method")) : init.has("...") ? undefined : "GET";
  const headers = headersOf(init);
  return { method: method?.toUpperCase(), headers };
}

/** `undefined` where something else than a text tells one of them. */
function headersOf(init: ReadonlyMap<string, string>): SentParts["headers"] {
  const given = init.get("headers") ?? "{}";
  if (init.has("...") || !given.startsWith("{")) return undefined;
  const pairs = [...members(given, 0)].map(([name, value]) => [name, literal(value)] as const);
  const isOpen = pairs.some(([name, value]) => value === undefined && !/^authorization$/i.test(name));
  const headers = headerRecord(pairs.map(([name, value = "…"]) => [name, value]));
  const hasBody = !/^(?:|null|undefined)$/.test(init.get("body") ?? "");
  // A browser calls a body by its own type where nobody does.
  return isOpen || (hasBody && headers?.["content-type"] === undefined) ? undefined : headers;
}

/** The members of the object that begins at a place, by their names; `...` stands for what is spread into it. */
function members(text: string, begin: number): ReadonlyMap<string, string> {
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
function endOfValue(text: string, from: number): number {
  return endOutside(text, from, { by: "\\", isEnd: (character) => /[,)\]}]/.test(character) });
}

/** What a text between quotes says. `undefined` for all else. */
function literal(value = ""): string | undefined {
  const [, quote, inside = ""] = /^(["'`])(.*)\1$/s.exec(value) ?? [];
  if (quote === undefined || closingQuote(value, 1, quote, "\\") !== value.length - 1) return undefined;
  if (quote === "`" && inside.includes("${")) return undefined;
  return inside.replace(
    /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S]))/g,
    (_, long?: string, short?: string, other = "") => {
      const code = long ?? short;
      return code === undefined ? other : String.fromCharCode(Number.parseInt(code, 16));
    },
  );
}
