import { invalidInput } from "./errors.ts";

/** Refuses a value that is none of these: what is misspelt would be read as the other one. */
export function checkOneOf(option: string, value: unknown, ...known: readonly unknown[]): void {
  if (!known.includes(value)) throw invalidInput(option, known.join(" or "), value);
}

/** Refuses a name that a query or cookie cannot have as it is. */
export function checkName(option: string, name: unknown): void {
  if (!/^[\w.~-]+$/.test(String(name))) throw invalidInput(option, "letters, digits, - . _ ~", name);
}

/** Refuses what is no list of one or more texts of this form. */
export function checkTexts(option: string, form: RegExp, texts: unknown): void {
  const isList = Array.isArray(texts) && texts.length > 0;
  if (!isList || !texts.every((text) => form.test(text))) throw invalidInput(option, "a list of texts", texts);
}
