import { invalidInput } from "./errors.ts";

/** Refuses a call of a factory without its options, which JavaScript callers may make. Returns the options. */
export function requireOptions<O>(options: O): O {
  if (Object(options) !== options) throw invalidInput("options", "an object with the documented options", options);
  return options;
}
