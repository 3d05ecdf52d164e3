import { DaypassError } from "daypass";
import { CommandError, type Context, UsageError } from "../command.ts";
import { isObject, type JsonObject } from "../lines/fields.ts";
import type { CompleteLine, LineCompleter } from "../lines/sign-line.ts";
import { refuseForeignOptions, type SignOptions } from "./options.ts";
import type { FoundFields, TargetScheme } from "./target.ts";
import { loadTarget } from "./targets.ts";

/** What all lines of a batch have in common, as data that can be sent to another thread. */
export interface LineDefaults {
  readonly scheme: string | undefined;
  /** Fields of the lines: those of `--defaults`, and those of a target. */
  readonly fields: JsonObject;
  readonly options: SignOptions;
}

/** What `daypass sign` would have found for a scheme, or why it found nothing. */
export type FoundKeys = FoundFields | { readonly missing: string };

export type FindKeys = (scheme: string) => Promise<FoundKeys>;

/** Looks for the keys of each scheme once, however many threads and lines ask. */
export function keyFinder(options: SignOptions, context: Context): FindKeys {
  const found = new Map<string, Promise<FoundKeys>>();
  const find = async (scheme: string): Promise<FoundKeys> => {
    const target = await loadTarget(scheme);
    try {
      return (await target?.find(options, context)) ?? { fields: {} };
    } catch (error) {
      if (error instanceof CommandError) return { missing: error.message };
      throw error;
    }
  };
  return (scheme) => {
    const known = found.get(scheme) ?? find(scheme);
    found.set(scheme, known);
    return known;
  };
}

/** Completes lines with the defaults, and those without a secret with the keys at hand. */
export function lineCompleter({ scheme, fields, options }: LineDefaults, findKeys: FindKeys): LineCompleter {
  return {
    scheme,
    async of(name) {
      const target = await loadTarget(name);
      const defaults = defaulting(fields)(optionFields(options, { scheme: String(name), target }));
      return target === undefined ? defaulting(defaults) : completeFor(target, defaults, () => findKeys(String(name)));
    },
  };
}

// Options are checked when a scheme is met, because a batch may hold several; what is wrong is then its lines' refusal.
function optionFields(
  options: SignOptions,
  { scheme, target }: { readonly scheme: string; readonly target: TargetScheme | undefined },
): JsonObject {
  try {
    refuseForeignOptions(options, scheme);
    return target?.fields(options) ?? {};
  } catch (error) {
    throw error instanceof UsageError ? new DaypassError("INVALID_INPUT", error.message) : error;
  }
}

function completeFor(
  { secret, complete = (line) => line, expectInScope }: TargetScheme,
  defaults: JsonObject,
  findKeys: () => Promise<FoundKeys>,
): CompleteLine {
  if (defaults[secret] !== undefined) return defaulting(defaults);
  const overDefaults = defaulting(defaults);
  /** What completes lines without a secret, once it is known whether there are keys for them. */
  let overFound: CompleteLine | undefined;
  return (line) => {
    if (line[secret] !== undefined) return overDefaults(line);
    if (overFound !== undefined) return overFound(line);
    return findKeys().then((keys) => {
      overFound = "missing" in keys ? refuseAll(secret, keys.missing) : foundFor(keys);
      return overFound(line);
    });
  };

  function foundFor({ fields, scope }: FoundFields): CompleteLine {
    const over = defaulting({ ...fields, ...defaults });
    if (scope === undefined) return (line) => complete(over(line), fields);
    return (line) => {
      const whole = complete(over(line), fields);
      expectInScope?.(whole, scope);
      return whole;
    };
  }
}

function refuseAll(secret: string, missing: string): CompleteLine {
  const message = `expected ${secret} in the line, found none, nor where daypass sign looks: ${missing}`;
  return () => {
    throw new DaypassError("INVALID_INPUT", message);
  };
}

// A lifetime of a line's own replaces the other one: expiresIn and expiresAt are two ways to say the same.
function defaulting(defaults: JsonObject): (line: JsonObject) => JsonObject {
  const { expiresIn: _in, expiresAt: _at, ...others } = defaults;
  const { bind, headers } = defaults;
  const keepsSome = isObject(bind) || isObject(headers);
  if (Object.keys(defaults).length === 0) return (line) => line;
  // Not spread: V8 gives copies made by assign the shape of a literal, and signs them twice as fast.
  return (line) => {
    const hasLife = line["expiresIn"] !== undefined || line["expiresAt"] !== undefined;
    const whole: Record<string, unknown> = Object.assign({}, hasLife ? others : defaults, line);
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
