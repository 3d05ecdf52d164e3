/** The text for an input that a schema of the admin API refuses. */
import type { z } from "@hono/zod-openapi";

type Issue = z.core.$ZodIssue;
type Texts = { readonly [C in Issue["code"]]?: (issue: Extract<Issue, { code: C }>, field: string) => string };

const TYPES: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  object: "an object",
  string: "a text",
};
const UNITS: Readonly<Record<string, string>> = { array: " entries", string: " characters" };

// No text has the value: it can be a password.
const TEXTS: Texts = {
  invalid_type: ({ expected, message }, field) =>
    `${field} is ${message.endsWith("undefined") ? "missing" : "of the wrong type"}. Send ${TYPES[expected] ?? expected}.`,
  unrecognized_keys: ({ keys: [key = ""] }, field) =>
    `${field === BODY ? "" : `${field}.`}${key.slice(0, 64)} is not a field of this call. Check its spelling, or see /openapi.json.`,
  invalid_value: ({ values }, field) => `${field} is not a known value. Send one of ${values.join(", ")}.`,
  invalid_format: ({ format, message }, field) =>
    format === "datetime"
      ? `${field} is not a date with a time. Send one such as 2026-12-08T12:00:00Z.`
      : `${field}: ${message}`,
  too_small: ({ origin, minimum, inclusive }, field) =>
    `${field} is too small. Send ${inclusive === false ? `more than ${minimum}` : `${minimum} or more`}${UNITS[origin] ?? ""}.`,
  too_big: ({ origin, maximum }, field) => `${field} is too large. Send at most ${maximum}${UNITS[origin] ?? ""}.`,
};
const BODY = "the body";

/** Names the field, says what is wrong with it, and what to send. */
export function schemaProblem(issue: Issue): string {
  const text = TEXTS[issue.code] as ((issue: Issue, field: string) => string) | undefined;
  const field = issue.path.join(".") || BODY;
  return text?.(issue, field) ?? `${field}: ${issue.message}`;
}
