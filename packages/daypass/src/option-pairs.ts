import { invalidInput } from "./errors.ts";

/**
 * The members of an option that is an object of texts. In `Headers`, a `Map` or a text `Object.entries` finds none, or its characters:
 * what was to be bound would stay open.
 *
 * @throws {DaypassError} `INVALID_INPUT`
 */
export function optionPairs<V>(option: string, given: object | undefined): [string, V][] {
  // What is falsy stands for nothing, as in `condition && {…}`.
  if (given && Symbol.iterator in Object(given)) throw invalidInput(option, "an object", "another");
  return Object.entries(given ?? {});
}
