/** Describes the faults of a configuration. */
import { isObject } from "daypass/schemes";
import { z } from "zod";
import { CommandError } from "../../command.ts";
import { configSchema } from "./config-schema.ts";

/** A value that violates the schema. */
export interface ConfigFault {
  /** The path, such as `listen.port` or `origins[2]`. Empty for the whole value. */
  readonly path: string;
  readonly expected: string;
  /** The value or the name at the path. `undefined` if it is missing. It may be a secret: print it with {@link describeValue}. */
  readonly found: unknown;
  /** Whether no setting has this path. */
  readonly isUnknown: boolean;
}

/** Receives a fault. By default it is thrown, so that a start ends at the first one; `serve --check` collects all. */
export type Report = (fault: string) => void;

export const throwFault: Report = (fault) => {
  throw new CommandError(fault);
};

type Issue = z.core.$ZodIssue;

/** The violations of the schema. */
export function configFaults(value: unknown): readonly ConfigFault[] {
  const { error } = configSchema.safeParse(value, { error: (raw) => expectedText(raw) });
  return error?.issues.flatMap((issue) => faultsOf(issue, value)) ?? [];
}

function faultsOf(issue: Issue, value: unknown): readonly ConfigFault[] {
  const path = pathText(issue.path);
  const found = issue.path.reduce((at: unknown, name) => (at as Readonly<Record<PropertyKey, unknown>>)[name], value);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((name) => {
      return { path: pathText([...issue.path, name]), expected: "a setting", found: name, isUnknown: true };
    });
  }
  if (issue.code === "invalid_union") {
    // The alternative of the right type says which of its members is wrong.
    const branch = issue.errors.find(([first]) => first?.path.length !== 0 || first.code !== "invalid_type")?.[0];
    if (branch !== undefined) return faultsOf({ ...branch, path: [...issue.path, ...branch.path] }, value);
  }
  return [{ path, expected: issue.message, found, isUnknown: false }];
}

const TYPES: Readonly<Record<string, string>> = {
  object: "an object",
  record: "an object",
  array: "a list",
  string: "a string",
  number: "a whole number",
  int: "a whole number",
  boolean: "true or false",
};

/** What a setting expects, for "Set it to …". Patterns and lists of unique items have texts in the schema. */
function expectedText(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "a value" : (TYPES[issue.expected] ?? issue.expected);
    case "invalid_value":
      return `one of ${issue.values.join(", ")}`;
    case "invalid_union":
      return "a string or an object";
    case "too_small":
      return sizeText(issue.origin, { limit: issue.minimum, side: "least", number: "more" });
    case "too_big":
      return sizeText(issue.origin, { limit: issue.maximum, side: "most", number: "less" });
    default:
      return "another value";
  }
}

function sizeText(
  origin: string,
  { limit, side, number }: { readonly limit: number | bigint; readonly side: string; readonly number: string },
): string {
  if (origin === "string") return `a text of at ${side} ${limit} characters`;
  return origin === "array" ? `a list of at ${side} ${limit} items` : `${limit} or ${number}`;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, name) => {
    if (typeof name === "number") return `${text}[${name}]`;
    return text === "" ? String(name) : `${text}.${String(name)}`;
  }, "");
}

/** The paths of all settings, such as `listen.port`. */
export function settingPaths(schema: unknown = z.toJSONSchema(configSchema), path = ""): readonly string[] {
  if (!isObject(schema)) return [];
  const alternatives = Array.isArray(schema["anyOf"]) ? schema["anyOf"] : [];
  const properties = isObject(schema["properties"]) ? Object.entries(schema["properties"]) : [];
  return [
    ...alternatives.flatMap((one) => settingPaths(one, path)),
    ...properties.flatMap(([name, value]) => {
      const own = path === "" ? name : `${path}.${name}`;
      return [own, ...settingPaths(value, own)];
    }),
  ];
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
