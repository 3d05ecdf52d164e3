import { isObject, type JsonObject } from "daypass/schemes";

/** A value that violates the schema. */
export interface SchemaFault {
  /** The path, such as `listen.port` or `origins[2]`. Empty for the whole value. */
  readonly path: string;
  readonly expected: string;
  /** The value or the name at the path. Missing if there is none. It may be a secret: print it with {@link describeValue}. */
  readonly found?: unknown;
  /** Whether no setting has this path. */
  readonly isUnknown?: boolean;
}

/** Keywords that do not restrict a value. */
const ANNOTATIONS: ReadonlySet<string> = new Set(["$schema", "title", "description", "examples"]);

type Keyword = (rule: unknown, value: unknown, path: string, schema: JsonObject) => SchemaFault | undefined;

const TYPES: Readonly<Record<string, readonly [name: string, accepts: (value: unknown) => boolean]>> = {
  object: ["an object", isObject],
  array: ["a list", Array.isArray],
  string: ["a string", (value) => typeof value === "string"],
  integer: ["a whole number", Number.isSafeInteger],
  boolean: ["true or false", (value) => typeof value === "boolean"],
};

const KEYWORDS: Readonly<Record<string, Keyword>> = {
  type(rule, value, path) {
    const types = [rule].flat().flatMap((name) => [TYPES[String(name)] ?? []]);
    return when(!types.some(([, accepts]) => accepts?.(value)), path, types.map(([name]) => name).join(" or "));
  },
  enum: (rule, value, path) => when(!list(rule).includes(value), path, `one of ${list(rule).join(", ")}`),
  pattern: (rule, value, path, schema) =>
    when(
      typeof value === "string" && !new RegExp(String(rule), "u").test(value),
      path,
      `a value such as ${list(schema["examples"]).map((example) => JSON.stringify(example))}`,
    ),
  minLength: (rule, value, path) =>
    when(typeof value === "string" && value.length < Number(rule), path, `a text of at least ${rule} characters`),
  maxLength: (rule, value, path) =>
    when(typeof value === "string" && value.length > Number(rule), path, `a text of at most ${rule} characters`),
  minimum: (rule, value, path) => when(typeof value === "number" && value < Number(rule), path, `${rule} or more`),
  maximum: (rule, value, path) => when(typeof value === "number" && value > Number(rule), path, `${rule} or less`),
  minItems: (rule, value, path) =>
    when(Array.isArray(value) && value.length < Number(rule), path, `a list of at least ${rule} items`),
  uniqueItems: (rule, value, path) =>
    when(rule === true && Array.isArray(value) && new Set(value).size !== value.length, path, "unique items"),
  items: (rule, value, path) => firstFault(list(value), (item, i) => schemaFault(rule, item, `${path}[${i}]`)),
  required: (rule, value, path) =>
    firstFault(list(rule), (name) =>
      when(isObject(value) && !Object.hasOwn(value, String(name)), join(path, String(name)), "a value"),
    ),
  properties: (rule, value, path) =>
    firstFault(Object.entries(rule as JsonObject), ([name, property]) =>
      isObject(value) && Object.hasOwn(value, name) ? schemaFault(property, value[name], join(path, name)) : undefined,
    ),
  additionalProperties: (rule, value, path, schema) => {
    const known = (schema["properties"] ?? {}) as JsonObject;
    return firstFault(Object.keys(isObject(value) ? value : {}), (name) => {
      if (Object.hasOwn(known, name)) return undefined;
      if (rule !== false) return schemaFault(rule, (value as JsonObject)[name], join(path, name));
      return { path: join(path, name), expected: "a setting", found: name, isUnknown: true };
    });
  },
};

/**
 * The first violation of a JSON Schema, if any. Supports the keywords of the published schema. Throws for other keywords, so that no part of
 * the schema is ignored.
 */
export function schemaFault(schema: unknown, value: unknown, path = ""): SchemaFault | undefined {
  if (!isObject(schema)) throw new TypeError(`the schema at ${path} is not an object`);
  return firstFault(Object.entries(schema), ([name, rule]) => {
    if (ANNOTATIONS.has(name)) return undefined;
    const keyword = KEYWORDS[name];
    if (keyword === undefined) throw new TypeError(`the keyword ${name} at ${path} is not checked`);
    const fault = keyword(rule, value, path, schema);
    return fault?.path === path ? { ...fault, found: value } : fault;
  });
}

function when(broken: boolean, path: string, expected: string): SchemaFault | undefined {
  return broken ? { path, expected } : undefined;
}

function firstFault<T>(
  items: readonly T[],
  check: (item: T, i: number) => SchemaFault | undefined,
): SchemaFault | undefined {
  for (const [i, item] of items.entries()) {
    const fault = check(item, i);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** The paths of all settings, such as `listen.port`. */
export function settingPaths(schema: unknown, path = ""): readonly string[] {
  const properties = isObject(schema) && isObject(schema["properties"]) ? Object.entries(schema["properties"]) : [];
  return properties.flatMap(([name, value]) => [join(path, name), ...settingPaths(value, join(path, name))]);
}

const MAX_SHOWN = 60;

/** A configuration value for a message: short, and without the password and the query of a URL. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value !== "string") return String(value);
  const text = value.replace(/\/\/[^/?#]*@/, "//…@").replace(/[?#].*/s, "…");
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}
