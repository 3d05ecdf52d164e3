import { endOfValue, headersOfObject, literal, members } from "./object-text.ts";
import type { SentParts } from "./sent-parts.ts";
import { type UrlPlace, variableOf } from "./url-place.ts";

const CALL = /\b(?:fetch|new Request)\(\s*/g;

/** The request of a call of `fetch`, or of `new Request`, for a URL, as Chrome and Firefox copy it and as people write it. */
export function fetchRequest(place: UrlPlace): SentParts | undefined {
  const { text, index } = place;
  const variable = variableOf(place);
  let at = 0;
  for (;;) {
    CALL.lastIndex = at;
    const call = CALL.exec(text);
    if (call === null) return undefined;
    const from = call.index + call[0].length;
    // It is that one's URL; what is handed to fetch beside it would change it.
    if (text.startsWith("new Request(", from)) {
      at = from;
      continue;
    }
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
  const headers = headersOfObject(given);
  const hasBody = !/^(?:|null|undefined)$/.test(init.get("body") ?? "");
  // A browser calls a body by its own type where nobody does.
  return hasBody && headers?.["content-type"] === undefined ? undefined : headers;
}
