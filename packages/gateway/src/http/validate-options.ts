/** What options have to look like. A caller without a compiler would otherwise start something that does not do what was meant. */
import { DaypassError } from "daypass";

/** Whether a value can be a member, and what is expected of it. */
export type Form = readonly [isValid: (value: unknown) => boolean, expected: string];

export type Forms = Readonly<Record<string, Form>>;

/** `Forms` for every member of a type. */
export type FormsOf<T> = { readonly [M in keyof T]-?: Form };

/** The longest that a timer of Node can wait; what is longer it does not wait at all. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;

export const text: Form = [(value) => typeof value === "string" && value !== "", "text"];
export const flag: Form = [(value) => typeof value === "boolean", "true or false"];
export const callback: Form = [(value) => typeof value === "function", "a function"];
export const object: Form = [(value) => isObject(value), "an object"];
export const timer: Form = [
  (value) => isWhole(value, 1) && Number(value) <= LONGEST_TIMER_MS,
  `whole milliseconds from 1 to ${LONGEST_TIMER_MS}`,
];

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
  /** Such as `limits.body`. */
  readonly place: string;
  readonly expected: string;
}

/** The first member that has another form or is unknown. What is `undefined` counts as left out. */
export function formFault(value: unknown, forms: Forms, place = ""): FormFault | undefined {
  if (!isObject(value)) return { place: place === "" ? "options" : place, expected: "an object" };
  for (const [member, found] of Object.entries(value)) {
    if (found === undefined) continue;
    const at = place === "" ? member : `${place}.${member}`;
    const form = Object.hasOwn(forms, member) ? forms[member] : undefined;
    if (form === undefined) return { place: at, expected: `one of the names ${Object.keys(forms).join(", ")}` };
    if (!form[0](found)) return { place: at, expected: form[1] };
  }
  return undefined;
}

/**
 * Shows no value: some are secrets.
 * @throws {DaypassError} `INVALID_INPUT`
 */
export function expectForms(value: unknown, forms: Forms, place = ""): void {
  const fault = formFault(value, forms, place);
  if (fault !== undefined) throw unexpected(fault.place, fault.expected);
}

export function unexpected(place: string, expected: string): DaypassError {
  return new DaypassError("INVALID_INPUT", `expected ${place} as ${expected}, found another: correct it`);
}

/** Without the members that are `undefined`, so that a spread leaves the default in their place. */
export function given<T extends object>(options: T | undefined): { [M in keyof T]?: Exclude<T[M], undefined> } {
  const entries = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [M in keyof T]?: Exclude<T[M], undefined> };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= least;
}
