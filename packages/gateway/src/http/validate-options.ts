/** Validates options against a table, because callers without a compiler may misspell them. */
import { DaypassError } from "daypass";

/** Whether a value is valid, and what is expected. */
export type Form = readonly [isValid: (value: unknown) => boolean, expected: string, isRequired?: "required"];

/** The form of each member of an object; a member that is an object itself has a table of its own. */
export interface Forms {
  readonly [member: string]: Form | Forms;
}

/** `Forms` for every member of a type. */
export type FormsOf<T> = { readonly [M in keyof T]-?: Form | Forms };

/** The longest time of a Node timer. A longer one fires at once. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;

export const text: Form = [(value) => typeof value === "string" && value !== "", "text"];
export const flag: Form = [(value) => typeof value === "boolean", "true or false"];
export const callback: Form = [(value) => typeof value === "function", "a function"];
export const object: Form = [(value) => isObject(value), "an object"];
export const origin: Form = [(value) => isOrigin(value), "an origin, scheme://host[:port]"];
export const timer: Form = [
  (value) => isWhole(value, 1) && Number(value) <= LONGEST_TIMER_MS,
  `whole milliseconds from 1 to ${LONGEST_TIMER_MS}`,
];

export function required([isValid, expected]: Form): Form {
  return [isValid, expected, "required"];
}

export function wholeNumber(least: number): Form {
  return [(value) => isWhole(value, least), `a whole number of at least ${least}`];
}

export function listOf([isValid, expected]: Form, { least = 0 }: { readonly least?: number } = {}): Form {
  return [
    (value) => Array.isArray(value) && value.length >= least && value.every(isValid),
    `a list, each item as ${expected}`,
  ];
}

export interface FormFault {
  /** The option's name, for example `limits.body`. */
  readonly place: string;
  readonly expected: string;
}

/** Returns the first member that is invalid, missing or unknown. A member that is `undefined` counts as absent. */
export function formFault(value: unknown, forms: Forms, place = ""): FormFault | undefined {
  if (!isObject(value)) return { place: place === "" ? "options" : place, expected: "an object" };
  const placeOf = (member: string): string => (place === "" ? member : `${place}.${member}`);
  for (const [member, found] of Object.entries(value)) {
    if (found === undefined) continue;
    const form = Object.hasOwn(forms, member) ? forms[member] : undefined;
    if (form === undefined)
      return { place: placeOf(member), expected: `one of the names ${Object.keys(forms).join(", ")}` };
    if (!isForm(form)) {
      const fault = formFault(found, form, placeOf(member));
      if (fault !== undefined) return fault;
    } else if (!form[0](found)) return { place: placeOf(member), expected: form[1] };
  }
  for (const [member, form] of Object.entries(forms)) {
    if (isForm(form) && form[2] === "required" && value[member] === undefined)
      return { place: placeOf(member), expected: form[1] };
  }
  return undefined;
}

function isForm(form: Form | Forms): form is Form {
  return Array.isArray(form);
}

/**
 * Refuses options that do not match their table. The error shows no value, because some are secrets.
 * @throws {DaypassError} `INVALID_INPUT`
 */
export function expectForms(value: unknown, forms: Forms): void {
  const fault = formFault(value, forms);
  if (fault !== undefined) throw unexpected(fault.place, fault.expected);
}

export function unexpected(place: string, expected: string): DaypassError {
  return new DaypassError("INVALID_INPUT", `expected ${place} as ${expected}, found another: correct it`);
}

/** Returns the members that are not `undefined`, so that spreading them keeps the defaults of the others. */
export function given<T extends object>(options: T | undefined): { [M in keyof T]?: Exclude<T[M], undefined> } {
  const entries = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [M in keyof T]?: Exclude<T[M], undefined> };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOrigin(value: unknown): boolean {
  return typeof value === "string" && URL.canParse(value) && new URL(value).origin === value && /^https?:/.test(value);
}

function isWhole(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= least;
}
