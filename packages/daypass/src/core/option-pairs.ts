import { uriEncode } from "../wire/encoding.ts";
import { invalidInput } from "./errors.ts";

/**
 * The members of an option that is an object of texts. In `Headers`, a `Map` or a text `Object.entries` finds none, or its characters:
 * what was to be bound would stay open.
 *
 * @throws {DaypassError} `INVALID_INPUT`
 */
export function optionPairs<V>(option: string, given: object | undefined): [string, V][] {
  // What is falsy stands for nothing, as in `condition && {…}`.
  if (given && (given as Partial<Iterable<unknown>>)[Symbol.iterator])
    throw invalidInput(option, "an object", "another");
  return Object.entries(given ?? {});
}

/**
 * `bind.query` as it is joined to a URL: `name=value`, encoded. A name without a value would bind nothing.
 *
 * @throws {DaypassError} `INVALID_INPUT`
 */
export function queryTokens(query: object | undefined): readonly string[] {
  return optionPairs<unknown>("bind.query", query).flatMap(([name, given]) => {
    const values = [given].flat();
    if (values.length > 0 && values.every((value) => typeof value === "string")) {
      return values.map((value) => `${uriEncode(name)}=${uriEncode(value)}`);
    }
    throw invalidInput(`bind.query.${name}`, "texts", "another");
  });
}
