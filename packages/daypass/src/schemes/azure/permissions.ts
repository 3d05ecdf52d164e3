import { invalidInput } from "../../core/errors.ts";
import type { SasKind } from "./layouts.ts";

/** Tells whether permissions are letters that exist for the resource (an `sr`), each once, in an order that Azure reads. */
export function arePermissions({ permissions }: SasKind, resource: string, letters: string): boolean {
  // A single blob cannot be listed, and tags are searched in containers.
  return permissions.some((form) => form.test(letters)) && !/^(?:b.*[lf]|d=.*f)/.test(`${resource}=${letters}`);
}

/** Letters in the one order that is signed here. Those that repeat or do not exist are refused later. */
export function orderLetters(option: string, letters = "", order: string): string {
  // Each letter of these words is a permission: "read" would read, add, delete and execute.
  if (typeof letters !== "string" || /^(?:read|write)?$/.test(letters))
    throw invalidInput(option, `letters such as "${order[0]}"`, letters);
  return [...letters].sort((a, b) => order.indexOf(a) - order.indexOf(b)).join("");
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
