import { endOfValue, endOfValues, literal } from "./object-text.ts";
import { headerRecord, type SentParts } from "./sent-parts.ts";
import { type UrlPlace, variableOf } from "./url-place.ts";

const BUILDER = /\b(?:(Request\.Builder\(\))|HttpRequest\s*\.\s*newBuilder\(\s*)/g;
const MAX_CALLS = 50;

interface Step {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** The request of a builder of OkHttp, or of Java's own client, for a URL. */
export function builderRequest(place: UrlPlace): SentParts | undefined {
  const { text, index } = place;
  const variable = variableOf(place);
  let behind = 0;
  for (const { index: begin, 0: all, 1: okHttp } of text.matchAll(BUILDER)) {
    // Calls that nobody closes cost no more than their length.
    if (begin < behind) continue;
    const steps = stepsAt(text, begin, all.length);
    const isUrl = ({ from, to }: Step): boolean =>
      (index >= from && index < to) ||
      (variable !== undefined && new RegExp(`^\\s*(?:URI\\.create\\(\\s*)?${variable}\\b`).test(text.slice(from, to)));
    behind = steps.at(-1)?.to ?? begin;
    if (!steps.some(isUrl)) continue;
    // A builder that is kept is told more behind, as is one by what stands between its calls.
    return steps.at(-1)?.name === "build" ? ofSteps(text, steps, okHttp !== undefined) : {};
  }
  return undefined;
}

/** The calls of a chain; of Java's own client the first one may hold the URL. */
function stepsAt(text: string, begin: number, length: number): readonly Step[] {
  const steps: Step[] = [];
  let at = begin + length;
  if (text.charAt(at - 1) !== ")") {
    const to = endOfValues(text, at);
    steps.push({ name: "uri", from: at, to });
    at = to + 1;
  }
  while (steps.length < MAX_CALLS) {
    const [all, name = ""] = /^\s*\.\s*(\w+)\(/.exec(text.slice(at, at + 200)) ?? [];
    if (all === undefined) break;
    const from = at + all.length;
    const to = endOfValues(text, from);
    steps.push({ name, from, to });
    at = to + 1;
  }
  return steps;
}

const VERB = /^(?:get|head|put|post|delete|patch)$/i;

function ofSteps(text: string, steps: readonly Step[], isOkHttp: boolean): SentParts {
  const argumentsOf = ({ from, to }: Step): readonly [string, string] => {
    const end = endOfValue(text, from);
    return [text.slice(from, end).trim(), end < to ? text.slice(end + 1, to).trim() : ""];
  };
  // The last one counts.
  const asked = steps.findLast(({ name }) => name === "method" || VERB.test(name));
  const [first = "", second = ""] = asked === undefined ? [] : argumentsOf(asked);
  const method = asked === undefined ? "GET" : asked.name === "method" ? literal(first) : asked.name;
  const body = asked?.name === "method" ? second : first;
  const lines = steps
    .filter(({ name }) => /^(?:header|addHeader|setHeader)$/.test(name))
    .map((step) => argumentsOf(step).map(literal) as [string | undefined, string | undefined]);
  const isOpen =
    steps.some(({ name }) => name === "headers") ||
    lines.some(([name, value]) => name === undefined || (value === undefined && !/^authorization$/i.test(name)));
  const type = isOkHttp && body !== "" && body !== "null" ? typeOfBody(text, body) : undefined;
  if (isOpen || type === null) return { method: method?.toUpperCase() };
  const headers = headerRecord(lines.map(([name = "", value = "…"]) => [name, value]));
  // OkHttp puts the type of a body in the place of a header of that name.
  return {
    method: method?.toUpperCase(),
    headers: { ...headers, ...(type === undefined ? {} : { "content-type": type }) },
  };
}

/** The type of a body of OkHttp: `undefined` where it has none, `null` where nobody can tell. */
function typeOfBody(text: string, body: string): string | undefined | null {
  const made = /^\w+$/.test(body) ? assigned(text, body) : body;
  if (made === undefined) return null;
  const isFile = /\.asRequestBody\(|\bFile\(/.test(made);
  const isWritten = /RequestBody\.create\([^"]{0,200},\s*"|^"[^"]*"\.toRequestBody\(/.test(made);
  if (isFile && /\.asRequestBody\(\s*\)|create\(\s*null\b/.test(made)) return undefined;
  const named = /(?:MediaType\.(?:parse|get)\(\s*)("[^"]*")|("[^"]*")\.toMediaType(?:OrNull)?\(/;
  const variable = /(?:create\(\s*|RequestBody\(\s*)([A-Za-z]\w*)\s*[,)]/.exec(made)?.[1];
  const told = named.exec(made) ?? (variable === undefined ? null : named.exec(assigned(text, variable) ?? ""));
  const type = literal(told?.[1] ?? told?.[2]);
  if (type === undefined || (!isFile && !isWritten)) return null;
  // It names the charset of a text where nobody did.
  return isFile || /charset=/i.test(type) ? type : `${type}; charset=utf-8`;
}

/** What a variable was given, where it was once. */
function assigned(text: string, name: string): string | undefined {
  const given = [...text.matchAll(new RegExp(`\\b${name}(?:\\s*:\\s*\\w+\\??)?\\s*=(?!=)\\s*([^;\\n]+)`, "g"))];
  return given.length === 1 ? given[0]?.[1]?.trim() : undefined;
}
