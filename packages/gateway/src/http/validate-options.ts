/** Validates options against a table, because callers without a compiler may misspell them. */
import { DaypassError } from "daypass";
import { excerpt } from "./excerpt.ts";

/** Whether a value is valid, and what to pass. */
export type Form = readonly [isValid: (value: unknown) => boolean, expected: string, isRequired?: "required"];

/** The form of each member of an object; a member that is an object itself has its own table. */
export interface Forms {
  readonly [member: string]: Form | Forms;
}

/** `Forms` for every member of a type. */
export type FormsOf<T> = { readonly [M in keyof T]-?: Form | Forms };

/** The longest time of a Node timer. A longer one fires at once. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;

export const text: Form = [(value) => typeof value === "string" && value !== "", "a string that is not empty"];
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
    `a list, each item ${expected}`,
  ];
}

/**
 * Returns what is wrong with the first member that is invalid, missing or unknown. A member that is `undefined` counts as absent.
 *
 * @param place such as `limits`; empty for the options themselves
 */
export function formFault(value: unknown, forms: Forms, place = ""): string | undefined {
  if (!isObject(value)) return optionFault(place === "" ? "options" : place, "an object", value);
  const placeOf = (member: string): string => (place === "" ? member : `${place}.${member}`);
  for (const [member, found] of Object.entries(value)) {
    if (found === undefined) continue;
    const form = Object.hasOwn(forms, member) ? forms[member] : undefined;
    if (form === undefined) {
      const near = Object.keys(forms).find((name) => isNear(name.toLowerCase(), member.toLowerCase()));
      const advice = near === undefined ? "Correct its spelling, or leave it out" : `Did you mean ${placeOf(near)}?`;
      return `${placeOf(member)} is not an option. ${advice}`;
    }
    if (!isForm(form)) {
      const fault = formFault(found, form, placeOf(member));
      if (fault !== undefined) return fault;
    } else if (!form[0](found)) return optionFault(placeOf(member), form[1], found);
  }
  for (const [member, form] of Object.entries(forms)) {
    if (isForm(form) && form[2] === "required" && value[member] === undefined)
      return optionFault(placeOf(member), form[1], undefined);
  }
  return undefined;
}

/** Whether two names differ in one place only, by at most two characters and half of the longer name. */
function isNear(one: string, other: string): boolean {
  let [start, end] = [0, 0];
  const least = Math.min(one.length, other.length);
  while (start < least && one[start] === other[start]) start += 1;
  while (end < least - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  const most = Math.max(one.length, other.length);
  return most - start - end <= Math.min(2, most / 2);
}

function isForm(form: Form | Forms): form is Form {
  return Array.isArray(form);
}

/**
 * Refuses options that do not match their table.
 * @throws {DaypassError} `INVALID_INPUT`
 */
export function expectForms(value: unknown, forms: Forms, place?: string): void {
  const fault = formFault(value, forms, place);
  if (fault !== undefined) throw new DaypassError("INVALID_INPUT", fault);
}

export function invalidOption(place: string, expected: string, found: unknown): DaypassError {
  return new DaypassError("INVALID_INPUT", optionFault(place, expected, found));
}

function optionFault(place: string, expected: string, found: unknown): string {
  return `${place} is ${shown(place, found)}. Pass ${expected}`;
}

const SECRET = /secret|key|credential|password|token/i;

/** An option's value for an error text. Objects are not shown, nor what may be a secret: before a host, a password can stand. */
function shown(place: string, value: unknown): string {
  if (value === undefined) return "missing";
  const items = [value].flat();
  if (items.length === 0) return "an empty list";
  if (SECRET.test(place) || items.some((item) => Object(item) === item)) return "not valid";
  const texts = items.map((item) =>
    typeof item === "string" ? excerpt(item.replace(/^.*@|[?#].*/gs, "...")) : String(item),
  );
  return texts.join(", ");
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
