import { endOfValue, headersOfObject, literal, members } from "./object-text.ts";
import { headerRecord, type SentParts } from "./sent-parts.ts";
import { type UrlPlace, variableOf } from "./url-place.ts";

/** `requests.put(url, …)`, `axios.put(url, …)`, `got.put(url, …)`, and `urllib.request.Request(url, …)`. */
const CALL =
  /\b(?:(requests|session|httpx|axios|got|ky|superagent)\.(get|head|put|post|delete|patch|options)|(urllib\.request\.Request|Request|http\.NewRequest(?:WithContext)?)|(axios(?:\.request)?))\(\s*/g;

interface Call {
  readonly text: string;
  /** Of each argument where it begins and ends. */
  readonly values: readonly (readonly [from: number, to: number])[];
  readonly end: number;
}

/** The request of a call of one of the usual libraries of Python, JavaScript and Go to a URL. */
export function callRequest(place: UrlPlace): SentParts | undefined {
  const { text, index } = place;
  const variable = variableOf(place);
  let at = 0;
  for (;;) {
    CALL.lastIndex = at;
    const found = CALL.exec(text);
    if (found === null) return undefined;
    const [all, library = "", verb, maker = "", config] = found;
    const call = callAt(text, found.index + all.length);
    const isUrl = ([from, to]: Call["values"][number]): boolean =>
      (index >= from && index < to) || (variable !== undefined && argumentAt(text, from, to) === variable);
    if (call.values.some(isUrl)) {
      if (maker.startsWith("http.")) return goRequest(call, { method: maker === "http.NewRequest" ? 0 : 1 });
      if (config !== undefined) return configRequest(call);
      const isAwaited = /\b(?:await|async with)\s+$/.test(text.slice(Math.max(0, found.index - 20), found.index));
      const sent = keywordRequest(call, { library: library || "urllib", verb, isAwaited });
      const query = library === "requests" ? addedQuery(text, call) : undefined;
      return query === undefined ? sent : { ...sent, query };
    }
    // From behind it on, so that calls that nobody closes cost no more than their length.
    at = Math.max(call.end, found.index + all.length);
  }
}

const MAX_ARGUMENTS = 20;

function callAt(text: string, begin: number): Call {
  const values: (readonly [number, number])[] = [];
  let from = begin;
  let end = begin;
  while (values.length < MAX_ARGUMENTS) {
    end = endOfValue(text, from);
    if (text.slice(from, end).trim() !== "") values.push([from, end]);
    if (text.charAt(end) !== ",") break;
    from = end + 1;
  }
  return { text, values, end };
}

/** An argument without its name, where it has one. */
function argumentAt(text: string, from: number, to: number): string {
  return text
    .slice(from, to)
    .replace(/^\s*(?:[A-Za-z_]\w*\s*=(?!=)\s*)?/, "")
    .trim();
}

/** The value of a Python argument by its name. */
function keyword({ text, values }: Call, name: string): string | undefined {
  const pattern = new RegExp(`^\\s*${name}\\s*=(?!=)\\s*`);
  const found = values.map(([from, to]) => text.slice(from, to)).find((argument) => pattern.test(argument));
  return found?.replace(pattern, "").trim();
}

interface Called {
  readonly library: string;
  readonly verb: string | undefined;
  readonly isAwaited: boolean;
}

function keywordRequest(call: Call, { library, verb, isAwaited }: Called): SentParts {
  const isPython = /^(?:requests|session|httpx|urllib)$/.test(library);
  const told = isPython ? keyword(call, "method") : undefined;
  const data = isPython ? keyword(call, "data") : undefined;
  const isPlaced = call.values.some(
    ([from, to], i) => i > 0 && !/^\s*(?:\w+\s*=|\*\*)/.test(call.text.slice(from, to)),
  );
  // What is given to urllib by place is its data, or none.
  const implied = isPlaced ? undefined : data === undefined ? "GET" : "POST";
  const method = verb?.toUpperCase() ?? (told === undefined ? implied : literal(told)?.toUpperCase());
  // The calls behind this one tell its headers.
  if (library === "superagent") return { method };
  if (!isPython) return { method, headers: headersOfConfig(call, method) };
  // What is spread into a call is not there to be read, what is given by place is a body, and of a login the library makes a header.
  const isOpen = call.values.some(([from, to]) => /^\s*\*\*/.test(call.text.slice(from, to)));
  if (isOpen || isPlaced || keyword(call, "auth") !== undefined) return { method };
  // A session may have headers of its own, and calls a body something where it is aiohttp's.
  const isOwn = library === "session" && /\bsession\.(?:headers|auth)\b/.test(call.text);
  if (isOwn || (library === "session" && isAwaited && data !== undefined)) return { method };
  const headers = objectHeaders(call.text, keyword(call, "headers"));
  const type = bodyType(call, library, data);
  if (headers === undefined || type === null) return { method };
  return { method, headers: { ...(type === undefined ? {} : { "content-type": type }), ...headers } };
}

/** What `requests` puts behind the URL's own query, in its spelling. `undefined` where nothing is, or something else than a text tells it. */
function addedQuery(text: string, call: Call): string | undefined {
  const given = keyword(call, "params");
  const object = given === undefined || given.startsWith("{") ? given : assigned(text, given);
  if (object === undefined) return undefined;
  const pairs: [string, string][] = [];
  for (const [name, value] of members(object, 0)) {
    const told = literal(value) ?? /^\d+$/.exec(value)?.[0];
    if (name === "..." || told === undefined) return undefined;
    pairs.push([name, told]);
  }
  // Python leaves `~` as it is, and encodes `*`.
  const spelled = new URLSearchParams(pairs).toString().replaceAll("%7E", "~").replaceAll("*", "%2A");
  return spelled === "" ? undefined : spelled;
}

/** How a Python library calls a body: `undefined` where it does not, `null` where nobody can tell. */
function bodyType(call: Call, library: string, data: string | undefined): string | undefined | null {
  if (keyword(call, "files") !== undefined) return null;
  if (keyword(call, "json") !== undefined) return "application/json";
  if (data === undefined) return undefined;
  if (library === "urllib" || data.startsWith("{")) return "application/x-www-form-urlencoded";
  // A file, or bytes.
  const isFile =
    /^\w+$/.test(data) && new RegExp(`\\bopen\\([^()\\n]*\\) as ${data}\\b|\\b${data} = open\\(`).test(call.text);
  return isFile || /^(?:open\(|b["'])|\.read(?:_bytes)?\(\)$/.test(data) ? undefined : null;
}

/** The options of axios and its like: the last argument, where it is an object. */
function headersOfConfig({ text, values }: Call, method: string | undefined): SentParts["headers"] {
  const last = values.at(-1);
  const hasBody = /^(?:PUT|POST|PATCH)$/.test(method ?? "");
  const config = last === undefined ? "" : text.slice(...last).trim();
  if (!config.startsWith("{")) return hasBody || values.length > 1 ? undefined : {};
  const options = members(config, 0);
  // Of axios the body stands in front of the options; one argument more is needed, or this is the body.
  if (options.has("...") || (hasBody && values.length < 3 && !options.has("headers"))) return undefined;
  return withType(objectHeaders(text, options.get("headers")), hasBody);
}

function configRequest({ text, values }: Call): SentParts {
  const [first] = values;
  const config = first === undefined ? "" : text.slice(...first).trim();
  if (!config.startsWith("{")) return {};
  const options = members(config, 0);
  if (options.has("...")) return {};
  const method = options.has("method") ? literal(options.get("method"))?.toUpperCase() : "GET";
  const hasBody = options.has("data");
  return { method, headers: withType(objectHeaders(text, options.get("headers")), hasBody) };
}

/** A library calls a body by a type of its own where nobody does. */
function withType(headers: SentParts["headers"], hasBody: boolean): SentParts["headers"] {
  return hasBody && headers?.["content-type"] === undefined ? undefined : headers;
}

/** The headers in an object, or in the one that a variable was given. `undefined` where something else than a text tells one. */
function objectHeaders(text: string, value = "{}"): SentParts["headers"] {
  const object = value.startsWith("{") ? value : assigned(text, value);
  return object === undefined ? undefined : headersOfObject(object);
}

/** The object that a variable was given, where it was once and nothing changed it. */
function assigned(text: string, name: string): string | undefined {
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) return undefined;
  const variable = name.replaceAll("$", "\\$");
  const given = [
    ...text.matchAll(new RegExp(`(?<![\\w.$])${variable}(?:\\s*:\\s*[\\w<>, ]{1,60})?\\s*=(?!=)\\s*`, "g")),
  ].filter(
    ({ index, 0: mark }) =>
      !/^\s*[A-Za-z_$][\w$]*\s*[,)]/.test(text.slice(index + mark.length, index + mark.length + 80)),
  );
  const isChanged = new RegExp(`(?<![\\w.$])${variable}(?:\\[|\\.(?:update|set|append|\\w+\\s*=(?!=)))`).test(text);
  const [only] = given;
  if (isChanged || given.length !== 1 || only === undefined) return undefined;
  const begin = only.index + only[0].length;
  return text.charAt(begin) === "{" ? text.slice(begin, endOfBraces(text, begin)) : undefined;
}

function endOfBraces(text: string, begin: number): number {
  let end = begin + 1;
  while (end < text.length) {
    end = endOfValue(text, end);
    if (text.charAt(end) !== ",") return end + 1;
    end += 1;
  }
  return text.length;
}

/** `http.NewRequest("PUT", url, body)`, and what is set on it behind that. */
function goRequest({ text, values, end }: Call, place: { readonly method: number }): SentParts {
  const first = values[place.method];
  const method =
    first === undefined
      ? undefined
      : literal(
          text
            .slice(...first)
            .trim()
            .replace(/^http\.Method(\w+)$/, '"$1"'),
        );
  const next = text.indexOf("http.NewRequest", end);
  const behind = text.slice(end, next < 0 ? undefined : next);
  const lines = [...behind.matchAll(/\.Header\.(?:Set|Add)\(\s*("(?:[^"\\]|\\.)*")\s*,\s*("(?:[^"\\]|\\.)*"\s*\))?/g)];
  // A map of headers, a login.
  const isOpen =
    /\.Header(?:\s*=(?!=)|\[)|\.SetBasicAuth\(/.test(behind) ||
    lines.some(([, name, value]) => value === undefined && !/^"authorization"$/i.test(name ?? ""));
  const headers = lines.map(
    ([, name, value]) => [literal(name) ?? "", literal(value?.replace(/\s*\)$/, "")) ?? "…"] as const,
  );
  return { method: method?.toUpperCase(), headers: isOpen ? undefined : headerRecord(headers) };
}
