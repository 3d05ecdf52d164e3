import { headerRecord, type SentParts } from "./sent-parts.ts";
import { type ShellWord, shellCommand } from "./shell-words.ts";
import { isUrlAt, type UrlPlace, variableOf } from "./url-place.ts";

const METHOD = /^(?:GET|HEAD|PUT|POST|DELETE|PATCH|OPTIONS)$/;
// Of a sentence about them the next word is none of these.
const COMMAND =
  /(?<![\w.:/-])(wget|https?|xh|xhs)(?:\.exe)?[ \t]+(?=-|["'$]|[\\`^][ \t]*\r?\n|[a-z]+:\/\/|(?:GET|HEAD|PUT|POST|DELETE|PATCH|OPTIONS)[ \t])/g;

/** The request of wget or HTTPie to a URL. */
export function commandRequest(place: UrlPlace): SentParts | undefined {
  const variable = variableOf(place);
  let at = 0;
  for (;;) {
    COMMAND.lastIndex = at;
    const found = COMMAND.exec(place.text);
    if (found === null) return undefined;
    const { words, end } = shellCommand(place.text, found.index + found[0].length);
    const url = words.findIndex((word) => isUrlAt(word, place, variable));
    const isPiped = /\|[ \t]*$/.test(place.text.slice(Math.max(0, found.index - 10), found.index));
    if (url >= 0) return found[1] === "wget" ? wgetRequest(words) : httpieRequest(words, { url, isPiped });
    at = end;
  }
}

type Pair = readonly [name: string, value: string];

interface Options {
  readonly method: string | undefined;
  readonly pairs: readonly Pair[];
  readonly isOpen: boolean;
}

function sentParts({ method, pairs, isOpen }: Options): SentParts {
  return { method, headers: isOpen ? undefined : headerRecord(pairs) };
}

/** The values of an option, behind = or as the next word. */
function valuesOf(words: readonly ShellWord[], name: string): readonly ShellWord[] {
  return words.flatMap((word, i) => {
    if (word.text === name) return words[i + 1] ?? [];
    return word.text.startsWith(`${name}=`) ? { ...word, text: word.text.slice(name.length + 1) } : [];
  });
}

function wgetRequest(words: readonly ShellWord[]): SentParts {
  const [method] = valuesOf(words, "--method");
  const lines = valuesOf(words, "--header");
  const posts = [...valuesOf(words, "--post-data"), ...valuesOf(words, "--post-file")].length > 0;
  // It calls a body a form's, whatever the method is.
  const hasBody = posts || [...valuesOf(words, "--body-data"), ...valuesOf(words, "--body-file")].length > 0;
  const headers = lines.flatMap(({ text }): readonly Pair[] => {
    const [, name = "", value = ""] = /^([^:]+):(.*)$/s.exec(text) ?? [];
    return value.trim() === "" ? [] : [[name, value]];
  });
  const hasType = headers.some(([name]) => /^content-type$/i.test(name));
  const told = method?.text.toUpperCase();
  const isSpider = words.some(({ text }) => text === "--spider");
  return sentParts({
    method: method?.isOpen === true ? undefined : (told ?? (posts ? "POST" : isSpider ? "HEAD" : "GET")),
    pairs: [
      ...headers,
      ...(hasBody && !hasType ? [["content-type", "application/x-www-form-urlencoded"] as const] : []),
    ],
    isOpen: lines.some(isOpenHeader),
  });
}

/** The login that HTTPie is told by an option. */
function loginOf(words: readonly ShellWord[]): readonly Pair[] {
  if ([...valuesOf(words, "-a"), ...valuesOf(words, "--auth")].length === 0) return [];
  const isBearer = [...valuesOf(words, "-A"), ...valuesOf(words, "--auth-type")].some(({ text }) => text === "bearer");
  return [["authorization", isBearer ? "Bearer" : "Basic"]];
}

/** What a variable tells, but for a login, of which no more than its kind is read. */
function isOpenHeader({ text, isOpen }: ShellWord): boolean {
  return isOpen && !/^\s*authorization\s*:/i.test(text);
}

/** `http [METHOD] URL [ITEM …]`, the items behind the URL. */
function httpieRequest(
  words: readonly ShellWord[],
  { url, isPiped }: { readonly url: number; readonly isPiped: boolean },
): SentParts {
  const told = words[url - 1]?.text.toUpperCase() ?? "";
  const items = words.slice(url + 1);
  const data = items.filter(({ text }) => /^(?:[\w.[\]-]+(?::=|=(?!=)|@)|@)/.test(text));
  const isFed =
    isPiped || items.some(({ text }) => /^<|^--raw/.test(text)) || words.some(({ text }) => /^--raw/.test(text));
  const lines = items.filter(({ text }) => /^[\w-]+:(?!=)/.test(text));
  const headers = lines.flatMap(({ text }): readonly Pair[] => {
    const [, name = "", value = ""] = /^([\w-]+):(.*)$/s.exec(text) ?? [];
    return value === "" ? [] : [[name, value]];
  });
  const hasType = headers.some(([name]) => /^content-type$/i.test(name));
  const hasBody = data.length > 0 || isFed;
  return sentParts({
    method: METHOD.test(told) ? told : hasBody ? "POST" : "GET",
    pairs: [...headers, ...loginOf(words)],
    // How a body is called that nobody has named depends on options and on where it comes from.
    isOpen: lines.some(isOpenHeader) || (hasBody && !hasType),
  });
}
