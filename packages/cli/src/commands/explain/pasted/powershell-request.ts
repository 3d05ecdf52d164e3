import { endOutside } from "./quoted.ts";
import { headerRecord, type SentParts } from "./sent-parts.ts";
import { type UrlPlace, variableOf } from "./url-place.ts";

/** What HTTP/2 has in the place of the request line, as Chrome copies it. */
const PSEUDO = /^(?:authority|method|path|scheme)$/;
const CALL = /\b(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)\b/gi;

/** The request of PowerShell's `Invoke-WebRequest` or `Invoke-RestMethod` to a URL, as Chrome copies it and as people write it. */
export function powershellRequest(place: UrlPlace): SentParts | undefined {
  const { text } = place;
  let splatted = tableAround(place);
  let before = 0;
  for (const { index: start } of text.matchAll(CALL)) {
    if (start < before) continue;
    const end = endOfStatement(text, start);
    const call = text.slice(start, end);
    if (splatted !== undefined && splatted === /\s@(\w+)/.exec(call)?.[1]?.toLowerCase()) {
      const splat = tableOf(text.slice(0, start), splatted);
      // What is splatted stands as options in the call.
      if (splat !== undefined) return requestOf(`${call} ${asOptions(splat.body)}`, text.slice(0, start));
      // One that was changed stays so, and a text of nothing but calls is not read anew for each of them.
      splatted = undefined;
    }
    if (isForUrl(place, start, end)) return requestOf(call, text.slice(before, start), text.slice(0, start));
    before = end;
  }
  return undefined;
}

function endOfStatement(text: string, start: number): number {
  return endOutside(text, start, {
    by: "`",
    // A backtick at the end of a line stands in front of its line end, of Windows' in front of its first character.
    isEnd: (character, at) => /[\n;|)}]/.test(character) && text.slice(at - 2, at) !== "`\r",
  });
}

/** Whether the URL stands where the call has its own. */
function isForUrl(place: UrlPlace, start: number, end: number): boolean {
  const { text, index } = place;
  const call = text.slice(start, end);
  const uri = find(call, "Uri");
  const isInside = index >= start && index < end;
  if (uri === undefined) return isInside || (call.match(/\s\$(\w+)/)?.[1] ?? "") === variableOf(place);
  const at = start + uri.index;
  return (index >= at && index < at + uri[0].length) || uri[0].replace(/^.*\$/s, "") === variableOf(place);
}

function find(call: string, name: string): RegExpExecArray | undefined {
  const value = /(?:"((?:[^"`]|`[\s\S])*)"|'([^']*)'|([\w/+.:-]+)|\$\w+|\S)/.source;
  return new RegExp(`\\s-${name}(?:[ \\t:]|\`\\r?\\n)+${value}`, "i").exec(call) ?? undefined;
}

/** The value of an option: `undefined` where it is not there, `null` for what a variable tells. */
function option(call: string, name: string): string | null | undefined {
  const found = find(call, name);
  if (found === undefined) return undefined;
  const [, double, single, bare] = found;
  if (double !== undefined) return HAS_VARIABLE.test(double) ? null : plain(double);
  return single ?? bare ?? null;
}

const HAS_VARIABLE = /(?<!`)\$[\w({]/;

function plain(text: string): string {
  return text.replace(/`([\s\S])/g, "$1");
}

/**
 * @param before what stands in front of the call: the session that Chrome makes for it
 * @param text all that does
 */
function requestOf(call: string, before: string, text = before): SentParts {
  const given = option(call, "Method");
  const method = given === null ? undefined : (given ?? "GET").toUpperCase();
  const type = option(call, "ContentType");
  const pairs = pairsOf(call, text);
  // A variable tells nothing, and of a form nobody knows its boundary.
  if (pairs === undefined || type === null || /\s-Form\b/i.test(call)) return { method };
  const headers = pairs.filter(([name]) => !PSEUDO.test(name));
  const agent = /\.UserAgent\s*=\s*"([^"]*)"/.exec(before)?.[1];
  const cookies = [...before.matchAll(/Net\.Cookie\("([^"]*)",\s*"([^"]*)"/g)].map(
    ([, name, value]) => `${name}=${value}`,
  );
  const hasType = headers.some(([name]) => /^content-type$/i.test(name));
  const own = type ?? (method === "POST" && !hasType ? "application/x-www-form-urlencoded" : undefined);
  return {
    method,
    headers: headerRecord([
      ...headers.filter(([name]) => own === undefined || !/^content-type$/i.test(name)),
      ...(agent === undefined ? [] : [["user-agent", agent] as const]),
      ...(cookies.length === 0 ? [] : [["cookie", cookies.join("; ")] as const]),
      ...(own === undefined ? [] : [["content-type", own] as const]),
    ]),
  };
}

const PAIR = /(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*=\s*(?:"((?:[^"`]|`[\s\S])*)"|'([^']*)'|(\S))/g;

/** The pairs of `-Headers`. `undefined` where a variable tells them, or the value of one that is no login. */
function pairsOf(call: string, text: string): readonly (readonly [string, string])[] | undefined {
  const found = /\s-Headers(?:[ \t:]|`\r?\n)+/i.exec(call);
  if (found === null) return [];
  const value = call.slice(found.index + found[0].length);
  const table = value.startsWith("@{") ? bodyAt(value, 2) : tableOf(text, /^\$(\w+)/.exec(value)?.[1])?.body;
  if (table === undefined) return undefined;
  const pairs = [...table.matchAll(PAIR)].map(([, a, b, c, double, single, open]) => {
    const isOpen = open !== undefined || HAS_VARIABLE.test(double ?? "");
    return { name: a ?? b ?? c ?? "", value: single ?? plain(double ?? ""), isOpen };
  });
  if (pairs.some(({ name, isOpen }) => isOpen && !/^authorization$/i.test(name))) return undefined;
  return pairs.map(({ name, value, isOpen }) => [name, isOpen ? (value.split(" ", 1)[0] as string) : value]);
}

/** The name, in lower case, of the variable whose table holds the URL. */
function tableAround({ text, index }: UrlPlace): string | undefined {
  const given = [...text.slice(0, index).matchAll(/\$(\w+)\s*=\s*@\{/g)].at(-1);
  if (given === undefined) return undefined;
  const from = given.index + given[0].length;
  return index < from + bodyAt(text, from).length ? given[1]?.toLowerCase() : undefined;
}

function bodyAt(text: string, from: number): string {
  return text.slice(from, endOutside(text, from, { by: "`", isEnd: (character) => character === "}" }));
}

/** What stands in the table that a variable was given, where it was once and nothing changed it. */
function tableOf(
  text: string,
  name: string | undefined,
): { readonly body: string; readonly index: number } | undefined {
  if (name === undefined) return undefined;
  const given = [...text.matchAll(new RegExp(`\\$${name}\\s*=\\s*@\\{`, "gi"))];
  const [only] = given;
  const isChanged = new RegExp(`\\$${name}(?:\\[|\\.|\\s*\\+=)`, "i").test(text);
  if (given.length !== 1 || only === undefined || isChanged) return undefined;
  const index = only.index + only[0].length;
  return { body: bodyAt(text, index), index };
}

/** The pairs of a table as options: each in a line of its own, or behind a semicolon. */
function asOptions(table: string): string {
  const options: string[] = [];
  let from = 0;
  while (from < table.length) {
    const end = endOutside(table, from, { by: "`", isEnd: (character) => /[\n;]/.test(character) });
    const [, name, value = ""] = /^\s*["']?(\w+)["']?\s*=\s*([\s\S]*?)\s*$/.exec(table.slice(from, end)) ?? [];
    if (name !== undefined) options.push(`-${name} ${value}`);
    from = end + 1;
  }
  return options.join(" ");
}
