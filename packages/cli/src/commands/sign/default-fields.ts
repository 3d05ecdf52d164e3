import { isObject, type JsonObject } from "daypass/schemes";

/**
 * Adds default fields to a line. If the line has expiresIn or expiresAt, it replaces both defaults. Default bindings and headers stay, unless
 * the line sets the same header.
 */
export function overDefaults(defaults: JsonObject): (line: JsonObject) => JsonObject {
  const { expiresIn: _in, expiresAt: _at, ...others } = defaults;
  const { bind, headers } = defaults;
  const mergesHeaders = isObject(bind) || isObject(headers);
  if (Object.keys(defaults).length === 0) return (line) => line;
  const hasProto = Object.hasOwn(defaults, "__proto__");
  return (line) => {
    const hasLifetime = line["expiresIn"] !== undefined || line["expiresAt"] !== undefined;
    const common = hasLifetime ? others : defaults;
    // V8 signs copies of Object.assign() twice as fast as spread copies. But assign() would set the prototype from a field `__proto__`, and
    // bypass the checks. A spread copy keeps it as an unknown field, which is refused.
    const whole: Record<string, unknown> =
      hasProto || Object.hasOwn(line, "__proto__") ? { ...common, ...line } : Object.assign({}, common, line);
    if (!mergesHeaders || (line["bind"] === undefined && line["headers"] === undefined)) return whole;
    const named = namedHeaders(line);
    if (isObject(bind)) whole["bind"] = mergeBindings(bind, line["bind"], named);
    if (isObject(headers)) whole["headers"] = mergeHeaders(headers, line["headers"], named);
    return whole;
  };
}

/** Bindings that stand for a header. */
const HEADER_OF: ReadonlyMap<string, string> = new Map([
  ["contentType", "content-type"],
  ["contentLength", "content-length"],
]);

/** The headers that a line sets in any field, in lower case. */
function namedHeaders({ bind, headers }: JsonObject): ReadonlySet<string> {
  const bound = isObject(bind) ? bind : {};
  const names = [headers, bound["headers"]].flatMap((some) => (isObject(some) ? Object.keys(some) : []));
  const words = Object.keys(bound).flatMap((name) => HEADER_OF.get(name) ?? []);
  return new Set([...names.map((name) => name.toLowerCase()), ...words]);
}

/** Merges bindings. Default bindings must not be lost because a line binds something else. */
function mergeBindings(common: JsonObject, own: unknown, named: ReadonlySet<string>): unknown {
  if (own !== undefined && !isObject(own)) return own;
  const others = Object.entries(common).filter(([name]) => {
    const header = HEADER_OF.get(name);
    return header === undefined || !named.has(header);
  });
  const both: Record<string, unknown> = { ...Object.fromEntries(others), ...own };
  const { headers, query } = common;
  if (isObject(headers)) both["headers"] = mergeHeaders(headers, own?.["headers"], named);
  if (isObject(query) && isObject(own?.["query"])) both["query"] = { ...query, ...own["query"] };
  return both;
}

/** Merges headers. The names in `named` replace the default ones. */
function mergeHeaders(common: JsonObject, own: unknown, named: ReadonlySet<string>): unknown {
  if (own !== undefined && !isObject(own)) return own;
  const others = Object.entries(common).filter(([name]) => !named.has(name.toLowerCase()));
  return { ...Object.fromEntries(others), ...own };
}
