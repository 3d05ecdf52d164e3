import type { SasKind } from "./layouts.ts";

// "You must include permissions in the following order." The orders that Microsoft itself makes differ in where y and t
// stand: @azure/storage-blob, the documentation, @azure/storage-file-datalake.
const ORDERS = ["racwdxltmeopiyf", "racwdxyltmeopi", "rtacwdlmeop"];

/** Tells whether permissions are letters that exist for the resource (an `sr`), each once, in an order that Azure reads. */
export function arePermissions({ name, order }: SasKind, resource: string, letters: string): boolean {
  // In an account SAS the order does not matter.
  if (name === "account") return sortLetters(letters, order).length === letters.length;
  // A single blob cannot be listed, and tags are searched in containers.
  const meaningless = resource === "c" ? /^$/ : resource === "d" ? /^$|f/ : /^$|[lf]/;
  return ORDERS.some((other) => sortLetters(letters, other) === letters) && !meaningless.test(letters);
}

/** The letters of `order` that are in `text`, in its order. */
export function sortLetters(text: string, order: string): string {
  return [...order].filter((letter) => text.includes(letter)).join("");
}

/** Letters in the one order that is signed here; as they are where some repeat or do not exist, which is refused later. */
export function orderLetters(letters = "", order: string): string {
  const sorted = sortLetters(letters, order);
  return sorted.length === letters.length ? sorted : letters;
}

// The method is not signed: it follows from what is permitted. The first that fits is the usual one.
const METHODS: readonly (readonly [method: string, letters: RegExp])[] = [
  ["GET", /[rltf]/],
  ["PUT", /[wcati]/],
  ["DELETE", /[dxyi]/],
  ["HEAD", /[rltf]/],
  ["POST", /r/],
];

/** The methods that some operation with these permissions has. */
export function permittedMethods(letters: string): readonly string[] {
  return METHODS.filter(([, some]) => some.test(letters)).map(([method]) => method);
}
