import { isObject, type JsonObject } from "daypass/schemes";

/**
 * What all lines of a batch have, under what one line says. A lifetime of a line's own replaces the other one: expiresIn and expiresAt are
 * two ways to say the same. What is bound for all stays where a line binds something else.
 */
export function overDefaults(defaults: JsonObject): (line: JsonObject) => JsonObject {
  const { expiresIn: _in, expiresAt: _at, ...others } = defaults;
  const { bind, headers } = defaults;
  const keepsSome = isObject(bind) || isObject(headers);
  if (Object.keys(defaults).length === 0) return (line) => line;
  const isStrange = Object.hasOwn(defaults, "__proto__");
  return (line) => {
    const hasLife = line["expiresIn"] !== undefined || line["expiresAt"] !== undefined;
    const common = hasLife ? others : defaults;
    // Not always spread: V8 gives copies made by assign the shape of a literal, and signs them twice as fast. But assign would make a
    // prototype of this name, whose fields act although no check sees them; in a spread copy it is refused as any unknown field.
    const whole: Record<string, unknown> =
      isStrange || Object.hasOwn(line, "__proto__") ? { ...common, ...line } : Object.assign({}, common, line);
    if (!keepsSome || (line["bind"] === undefined && line["headers"] === undefined)) return whole;
    const named = namedHeaders(line);
    if (isObject(bind)) whole["bind"] = boundBoth(bind, line["bind"], named);
    if (isObject(headers)) whole["headers"] = headersOfBoth(headers, line["headers"], named);
    return whole;
  };
}

/** What binds a header by a word of its own. */
const HEADERS: ReadonlyMap<string, string> = new Map([
  ["contentType", "content-type"],
  ["contentLength", "content-length"],
]);

/** The headers that a line has something to say of, in whichever field. Their names are one in any case. */
function namedHeaders({ bind, headers }: JsonObject): ReadonlySet<string> {
  const bound = isObject(bind) ? bind : {};
  const names = [headers, bound["headers"]].flatMap((some) => (isObject(some) ? Object.keys(some) : []));
  const words = Object.keys(bound).flatMap((name) => HEADERS.get(name) ?? []);
  return new Set([...names.map((name) => name.toLowerCase()), ...words]);
}

/** What all lines bind, and what one binds besides or otherwise: what is bound for all must not be lost where a line binds anything. */
function boundBoth(common: JsonObject, own: unknown, named: ReadonlySet<string>): unknown {
  if (own !== undefined && !isObject(own)) return own;
  const others = Object.entries(common).filter(([name]) => {
    const header = HEADERS.get(name);
    return header === undefined || !named.has(header);
  });
  const both: Record<string, unknown> = { ...Object.fromEntries(others), ...own };
  const { headers, query } = common;
  if (isObject(headers)) both["headers"] = headersOfBoth(headers, own?.["headers"], named);
  if (isObject(query) && isObject(own?.["query"])) both["query"] = { ...query, ...own["query"] };
  return both;
}

/** The same of headers, which the holder has to send. */
function headersOfBoth(common: JsonObject, own: unknown, named: ReadonlySet<string>): unknown {
  if (own !== undefined && !isObject(own)) return own;
  const others = Object.entries(common).filter(([name]) => !named.has(name.toLowerCase()));
  return { ...Object.fromEntries(others), ...own };
}
