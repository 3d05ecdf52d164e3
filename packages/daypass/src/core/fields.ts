import { didYouMean } from "#advice";
import { DaypassError } from "./errors.ts";

/** A JSON object whose fields have not been checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The form that a field's value must have. */
export interface FieldKind {
  /** Completes "region is missing. Pass …". */
  readonly expected: string;
  /** Whether a value has this form. */
  accepts(value: unknown): boolean;
  /** What is wrong with a value, if the text can say so without showing the value. */
  fault?(value: unknown): string | undefined;
}

/** Fields by name. */
export type Kinds = Readonly<Record<string, FieldKind>>;

/** The fields that an object may have; all others are refused. A map, because `constructor` is a name like any other. */
export type Fields = ReadonlyMap<string, FieldKind>;

/** Any string. */
export const text: FieldKind = { expected: "a string", accepts: (value) => typeof value === "string" };
/** Any number. */
export const number: FieldKind = { expected: "a number", accepts: (value) => typeof value === "number" };
/** `true` or `false`. */
export const flag: FieldKind = { expected: "true or false", accepts: (value) => typeof value === "boolean" };
/** Any object, but no list. */
export const object: FieldKind = { expected: "an object", accepts: isObject };
/** A list of strings that is not empty. */
export const textList: FieldKind = { expected: "a list of strings", accepts: isTextList };
/** A string, or a list of strings that is not empty. */
export const textOrList: FieldKind = {
  expected: "a string or a list of strings",
  accepts: (value) => typeof value === "string" || isTextList(value),
};
/** An object whose values are strings. */
export const textMap: FieldKind = mapOf("strings", text);
/** An object whose values are strings or lists of strings. */
export const textListMap: FieldKind = mapOf("strings or lists of strings", textOrList);

function mapOf(values: string, kind: FieldKind): FieldKind {
  return {
    expected: `an object with ${values} as values`,
    accepts: (value) => isObject(value) && Object.values(value).every(kind.accepts),
  };
}

/** One of these strings. */
export function oneOf(...words: readonly string[]): FieldKind {
  return {
    expected: words.map((word) => JSON.stringify(word)).join(" or "),
    accepts: (value) => typeof value === "string" && words.includes(value),
    fault: (value) => (typeof value === "string" ? "not valid" : undefined),
  };
}

/** A list, not empty, whose items all have one form. */
export function listOf(item: FieldKind): FieldKind {
  return {
    expected: `a list, each ${item.expected}`,
    accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(item.accepts),
  };
}

/** A value of one form, or a list of such values. */
export function oneOrMore({ expected, accepts, fault }: FieldKind): FieldKind {
  return {
    expected: `${expected}, or a list of them`,
    accepts: (value) => [value].flat().length > 0 && [value].flat().every(accepts),
    fault(value) {
      const items = [value].flat();
      return items.length === 0 ? "an empty list" : fault?.(items.find((item) => !accepts(item)));
    },
  };
}

/** A value of any of these forms. */
export function anyOfKinds(expected: string, ...kinds: readonly FieldKind[]): FieldKind {
  return { expected, accepts: (value) => kinds.some((kind) => kind.accepts(value)) };
}

/** An object with these fields and no others. */
export function record(kinds: Kinds): FieldKind {
  const known = fields(kinds);
  return {
    expected: "an object with the documented fields",
    accepts: (value) => isObject(value) && problemIn(value, known) === undefined,
    fault(value) {
      const other = isObject(value) ? Object.keys(value).find((name) => !known.has(name)) : undefined;
      if (other === undefined) return undefined;
      return `an object with the field ${JSON.stringify(other)}${didYouMean(other, [...known.keys()])}`;
    },
  };
}

/** Makes a map of fields, which {@link checked} reads. @internal */
export function fields(kinds: Kinds): Fields {
  return new Map(Object.entries(kinds));
}

/**
 * Returns an object as the type of its fields. Throws `INVALID_INPUT` for an unknown field and for a value of the wrong form: a
 * misspelt constraint that was dropped silently would leave a URL open.
 *
 * @internal
 */
export function checked<T extends object>(value: JsonObject, known: Fields): T {
  const problem = problemIn(value, known);
  if (problem !== undefined) throw new DaypassError("INVALID_INPUT", problem);
  return value as T;
}

function problemIn(value: JsonObject, known: Fields): string | undefined {
  for (const name in value) {
    const kind = known.get(name);
    if (kind === undefined) {
      return `${JSON.stringify(name)} is not a field here${didYouMean(name, [...known.keys()]) || ". Correct its spelling, or leave it out"}`;
    }
    if (!kind.accepts(value[name])) {
      const fault = kind.fault?.(value[name]) ?? describe(value[name]);
      // A fault that names the right field says what to pass.
      return fault.endsWith("?") ? `${name} is ${fault}` : `${name} is ${fault}. Pass ${kind.expected}`;
    }
  }
  return undefined;
}

/** The type of a value in words. The value itself may be a secret. @internal */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (value === undefined) return "nothing";
  if (typeof value === "object") return "another object";
  return typeof value === "boolean" ? String(value) : `a ${typeof value}`;
}

/** Whether a value is an object, but no list. @internal */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string");
}

/** `INVALID_INPUT` for a line that lacks a field. @internal */
export function missing(name: string, hint: string): DaypassError {
  return new DaypassError("INVALID_INPUT", `${name} is missing. ${hint.charAt(0).toUpperCase()}${hint.slice(1)}`);
}

/** `INVALID_INPUT` for a line with two fields that exclude each other. @internal */
export function both(one: string, other: string): DaypassError {
  return new DaypassError("INVALID_INPUT", `${one} and ${other} are both set. Leave one out`);
}

// Python writes microseconds and Go nanoseconds. Digits beyond milliseconds are dropped.
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
const FIRST = Date.parse("0000-01-01T00:00:00Z");
const LAST = Date.parse("9999-12-31T23:59:59.999Z");

let lastText: string | undefined;
let lastTime = Number.NaN;

/**
 * Reads an instant in the form of RFC 3339, such as `2026-01-02T03:04:05Z`. Other forms that `Date.parse` accepts are refused,
 * because a text without a zone means another instant on another machine. Remembers the last text: batches repeat instants.
 *
 * @internal
 */
export function instant(name: string, text: string): Date {
  if (text !== lastText) {
    const time = INSTANT.test(text) && isRealDay(text) ? Date.parse(text) : Number.NaN;
    // A zone may move the instant out of the years that have four digits.
    if (!(time >= FIRST && time <= LAST)) {
      const found = JSON.stringify(text);
      throw new DaypassError("INVALID_INPUT", `${name} is ${found}. Pass an instant such as "2026-01-02T03:04:05Z"`);
    }
    lastText = text;
    lastTime = time;
  }
  return new Date(lastTime);
}

// Date.parse reads 31 February as 3 March.
function isRealDay(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number);
  return new Date(Date.UTC(year, month, 0)).getUTCDate() >= day && day > 0 && month <= 12;
}
