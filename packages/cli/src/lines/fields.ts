import { DaypassError } from "daypass";

/** A JSON object whose fields have not been looked at. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What the value of a field has to look like. */
export interface FieldKind {
  /** Completes "expected region as …". */
  readonly expected: string;
  accepts(value: unknown): boolean;
  /** What is wrong with a value, where that can be told without showing it. */
  fault?(value: unknown): string | undefined;
}

/** The fields that an object may have; all others are refused. */
export type Fields = ReadonlyMap<string, FieldKind>;

export function fields(kinds: Readonly<Record<string, FieldKind>>): Fields {
  return new Map(Object.entries(kinds));
}

export const text: FieldKind = { expected: "a string", accepts: (value) => typeof value === "string" };
export const number: FieldKind = { expected: "a number", accepts: (value) => typeof value === "number" };
export const flag: FieldKind = { expected: "true or false", accepts: (value) => typeof value === "boolean" };
export const object: FieldKind = { expected: "an object", accepts: isObject };

/** A string, or a list of strings that is not empty. */
export const textOrList: FieldKind = {
  expected: "a string or a list of strings",
  accepts: (value) => typeof value === "string" || isTextList(value),
};

export const textList: FieldKind = { expected: "a list of strings", accepts: isTextList };

/** An object whose values are strings. */
export const textMap: FieldKind = {
  expected: "an object with strings as values",
  accepts: (value) => isObject(value) && Object.values(value).every((item) => typeof item === "string"),
};

/** An object whose values are strings or lists of strings. */
export const textListMap: FieldKind = {
  expected: "an object with strings or lists of strings as values",
  accepts: (value) => isObject(value) && Object.values(value).every((item) => textOrList.accepts(item)),
};

export function oneOf(...words: readonly string[]): FieldKind {
  return {
    expected: words.map((word) => JSON.stringify(word)).join(" or "),
    accepts: (value) => typeof value === "string" && words.includes(value),
  };
}

/** One of a kind, or a list of them. */
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

/** An object with fields of its own. */
export function nested(known: Fields): FieldKind {
  return {
    expected: `an object with no other fields than ${[...known.keys()].join(", ")}`,
    accepts: (value) => isObject(value) && problemIn(value, known) === undefined,
    fault(value) {
      const other = isObject(value) ? Object.keys(value).find((name) => !known.has(name)) : undefined;
      return other === undefined ? undefined : `one with ${JSON.stringify(other)}`;
    },
  };
}

/**
 * An object as the type that stands for its fields. Refuses one with a field that nobody reads, or one of the wrong form: a
 * misspelt constraint must not be dropped in silence, or the URL would grant more than was asked for.
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
      return `expected no other fields than ${[...known.keys()].join(", ")}; found ${JSON.stringify(name)}: correct its spelling, or leave it out`;
    }
    if (!kind.accepts(value[name]))
      return `expected ${name} as ${kind.expected}, found ${kind.fault?.(value[name]) ?? describe(value[name])}`;
  }
  return undefined;
}

/** What a value is, without showing it: it may be a secret. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "undefined":
      return "nothing";
    case "object":
      return "another object";
    case "boolean":
      return String(value);
    default:
      return `another ${typeof value}`;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string");
}

/** Refuses a line that lacks a field. */
export function missing(name: string, hint: string): DaypassError {
  return new DaypassError("INVALID_INPUT", `expected ${name}, found nothing: ${hint}`);
}
