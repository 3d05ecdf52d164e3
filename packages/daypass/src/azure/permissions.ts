import type { SasKind } from "./layouts.ts";

// "You must include permissions in the following order." The orders that Microsoft itself makes differ in where y and t
// stand: @azure/storage-blob, the documentation, @azure/storage-file-datalake.
const ORDERS = [/^r?a?c?w?d?x?l?t?m?e?o?p?i?y?f?$/, /^r?a?c?w?d?x?y?l?t?m?e?o?p?i?$/, /^r?t?a?c?w?d?l?m?e?o?p?$/];

/** Tells whether permissions are letters that exist for the resource (an `sr`), each once, in an order that Azure reads. */
export function arePermissions({ name, order }: SasKind, resource: string, letters: string): boolean {
  // In an account SAS the order does not matter.
  if (name === "account")
    return new Set(letters).size === letters.length && [...letters].every((letter) => order.includes(letter));
  // A single blob cannot be listed, and tags are searched in containers.
  const meaningless = resource === "c" ? /^$/ : resource === "d" ? /^$|f/ : /^$|[lf]/;
  return ORDERS.some((form) => form.test(letters)) && !meaningless.test(letters);
}

/** Letters in the one order that is signed here. Those that repeat or do not exist are refused later. */
export function orderLetters(letters = "", order: string): string {
  return letters.length < 2 ? letters : [...letters].sort((a, b) => order.indexOf(a) - order.indexOf(b)).join("");
}

// The method is not signed: it follows from what is permitted. The first that fits is the usual one.
const METHODS = /* @__PURE__ */ Object.entries({
  GET: /[rltf]/,
  PUT: /[wcati]/,
  DELETE: /[dxyi]/,
  HEAD: /[rltf]/,
  POST: /r/,
});

/** The methods that some operation with these permissions has. */
export function permittedMethods(letters: string): readonly string[] {
  return METHODS.filter(([, some]) => some.test(letters)).map(([method]) => method);
}
