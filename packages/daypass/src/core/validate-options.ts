import { didYouMean } from "#advice";
import { uriEncode } from "../wire/encoding.ts";
import type { Constraints } from "./contracts.ts";
import { type DaypassError, invalidInput, refusal } from "./errors.ts";

/** Refuses a value that is not in the list: code would read a misspelt value as another option. */
export function checkOneOf(option: string, value: unknown, ...known: readonly unknown[]): void {
  if (!known.includes(value)) throw invalidInput(option, known.join(" or "), value);
}

/** Refuses a name that a query or a cookie would have to encode. */
export function checkName(option: string, name: unknown): void {
  if (!/^[\w.~-]+$/.test(String(name))) throw invalidInput(option, "letters, digits, - . _ ~", name);
}

/** Refuses everything but a list of one or more texts of this form. */
export function checkTexts(option: string, form: RegExp, texts: unknown): void {
  const isList = Array.isArray(texts) && texts.length > 0;
  if (!isList || !texts.every((text) => typeof text === "string" && form.test(text)))
    throw invalidInput(option, "a list of strings", texts);
}

/**
 * The members of an option that is an object of texts. `Object.entries` finds nothing in `Headers` or a `Map`, and characters in
 * a text, so iterables are refused: the URL would not bind them.
 *
 * @throws {DaypassError} `INVALID_INPUT`
 */
export function optionPairs<V>(option: string, given: object | undefined): [string, V][] {
  // Falsy values mean "no option", as in `condition && {…}`.
  if (given && (typeof given !== "object" || (given as Partial<Iterable<unknown>>)[Symbol.iterator]))
    throw invalidInput(option, "a plain object", "another");
  return Object.entries(given ?? {});
}

/**
 * `bind.query` as URL text: `name=value`, encoded. A name without a value would bind nothing.
 *
 * @throws {DaypassError} `INVALID_INPUT`
 */
export function queryTokens(query: object | undefined): readonly string[] {
  return optionPairs<unknown>("bind.query", query).flatMap(([name, given]) => {
    const values = [given].flat();
    if (values.length > 0 && values.every((value) => typeof value === "string")) {
      return values.map((value) => `${uriEncode(name)}=${uriEncode(value)}`);
    }
    throw invalidInput(`bind.query.${name}`, "a string, or a list of them", "another");
  });
}

/** The options that the requests of a scheme support. */
export interface RequestRules {
  /** The scheme's name in error texts. */
  readonly scheme: string;
  /** Matches the options of a request, and the members of `bind` and `response` as `bind.ip`. */
  readonly known: Pick<RegExp, "test">;
  /** By option, what can bind it instead. */
  readonly instead?: Readonly<Record<string, string>> | undefined;
  /** The code for an option that no scheme has, `"UNSUPPORTED_CONSTRAINT"` by default. */
  readonly misspelt?: "INVALID_INPUT";
}

/** Refuses every unknown option. JavaScript callers have no compiler that finds a misspelt one. */
export function checkOptions(request: Constraints, rules: RequestRules): void {
  const { scheme, known, instead = {}, misspelt } = rules;
  const { bind, response, notBefore, prefix } = request;
  // Read by name, because `Object.entries` skips the getters of a class.
  const places = { "": { notBefore, prefix, ...request }, "bind.": bind, "response.": response };
  for (const [place, options] of Object.entries(places)) {
    for (const [option, value] of optionPairs(place, options)) {
      const name = place + option;
      if (value === undefined || known.test(name)) continue;
      const isConstraint = CONSTRAINT.test(name);
      const alternative = instead[name] ?? (isConstraint ? "leave it out, or use daypass/url" : undefined);
      const error = unsupportedConstraint(scheme, name, alternative, known);
      throw isConstraint || misspelt === undefined ? error : refusal(misspelt, error.message);
    }
  }
}

/** The constraints that some scheme supports. Any other name is a spelling mistake. */
const CONSTRAINT = /^(?:notBefore|prefix|response.*|bind\.(?:content(?:Type|Length)|sha256|headers|query|ip))$/;

/** `UNSUPPORTED_CONSTRAINT`: what the scheme cannot bind, and what can, or the known option that was probably meant. */
export function unsupportedConstraint(
  scheme: string,
  constraint: string,
  alternative?: string,
  known: Parameters<typeof didYouMean>[1] = [],
): DaypassError {
  const advice = alternative === undefined ? didYouMean(constraint, known) : `: ${alternative}`;
  return refusal("UNSUPPORTED_CONSTRAINT", `${constraint} is not an option of ${scheme}${advice}`, { constraint });
}
