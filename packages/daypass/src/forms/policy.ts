import { type DaypassError, refusal } from "../core/errors.ts";
import { basicTimeMs } from "../core/time.ts";
import { base64, fromBase64, hex, utf8 } from "../wire/encoding.ts";
import { malformed } from "../wire/parameters.ts";
import { percentDecode } from "../wire/raw-target.ts";

/**
 * A condition of a form's policy, as the providers write it: a field that has exactly this value, a field whose value
 * starts so (`""` for any value), or how many bytes the file has.
 */
export type PolicyCondition =
  | readonly [operator: "eq" | "starts-with", field: `$${string}`, value: string]
  | readonly [operator: "content-length-range", min: number, max: number]
  | Readonly<Record<string, string>>;

/** A condition on a field, in lower case, as field names have no case. */
export interface FieldCondition {
  readonly operator: "eq" | "starts-with";
  readonly field: string;
  readonly value: string;
  /** Whether the policy names the field without its `$`: no form meets such a condition. */
  readonly isBare?: boolean;
}

/** A {@link PolicyCondition} that was read. */
export type ParsedCondition =
  | FieldCondition
  | { readonly operator: "content-length-range"; readonly min: number; readonly max: number };

/** A policy document that was read. */
export interface PostPolicy {
  readonly expiresAt: Date;
  readonly conditions: readonly ParsedCondition[];
}

/** The placeholder of the file's name in a field. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the providers' own spelling
export const FILE_NAME = "${filename}";

/** Form fields before the file, in the order received. */
export type FormFields = readonly (readonly [name: string, value: string])[];

/**
 * base64 of the policy document, in UTF-8 unless `respell` makes something else of its text. S3's page asks for escapes beyond
 * ASCII, its own JavaScript client makes none, and radosgw misreads escapes of two units. All servers accept plain text.
 */
export function encodePolicy(
  expiresAt: Date,
  conditions: readonly PolicyCondition[],
  respell: (json: string) => string = String,
): string {
  const expiration = expiresAt.toISOString().replace(/\.\d+/, "");
  return base64(utf8(respell(JSON.stringify({ conditions, expiration }))));
}

/** JSON in ASCII, with `\uXXXX` for all other characters, as in GCS. */
export function escapeUnicode(json: string): string {
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

// "The form data and boundaries (excluding the contents of the file) cannot exceed 20 KB."
const MAX_POLICY = 20_480;
const EXPIRATION = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3})\d{0,6})?Z$/;
const MEMBER = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/**
 * Reads a policy strictly. Refuses a text that two readers could read as different policies: other members than
 * `expiration` and `conditions`, a member that repeats (`JSON.parse` keeps the last one, others the first), a condition
 * with several members, unknown operators.
 *
 * @throws {DaypassError} `MALFORMED` with `details.parameter` `policy`
 */
export function decodePolicy(encoded: string): PostPolicy {
  const bytes = encoded.length > MAX_POLICY ? undefined : fromBase64(encoded);
  if (bytes === undefined) throw badPolicy("base64", `base64 of at most ${MAX_POLICY} characters`);
  let text: string;
  let document: unknown;
  try {
    // AWS writes a dollar sign in a value as `\$`, which JSON does not know.
    text = percentDecode(hex(bytes).replace(/../g, "%$&")).replace(/\\./gs, (pair) => (pair === "\\$" ? "$" : pair));
    document = JSON.parse(text);
  } catch {
    throw badPolicy("json", "JSON in UTF-8");
  }
  const { expiration, conditions } = (document ?? {}) as Record<string, unknown>;
  if (expiration === undefined) throw badPolicy("expiration-missing", "JSON with an expiration");
  const [, year, month, day, hour, minute, second, fraction = "0"] = EXPIRATION.exec(asText(expiration)) ?? [];
  const end = basicTimeMs(`${year}${month}${day}T${hour}${minute}${second}Z`);
  if (Number.isNaN(end)) {
    const found = typeof expiration === "object" ? "" : String(expiration);
    throw badPolicy("expiration", "JSON with an expiration as YYYY-MM-DDTHH:MM:SSZ", found);
  }
  if (!Array.isArray(conditions)) {
    const problem = conditions === undefined ? "conditions-missing" : "conditions";
    throw badPolicy(problem, "JSON with a list of conditions");
  }
  const parsed = conditions.flatMap(
    (condition) =>
      bareCondition(condition) ??
      parseConditions([condition], (expected) => {
        const [problem, found] = conditionProblem(condition);
        return badPolicy(problem, expected, found);
      }),
  );
  // The names that were read are all names of the text, and no name repeats.
  const other = Object.keys(Object(document)).find((name) => name !== "expiration" && name !== "conditions");
  const names = [...text.matchAll(MEMBER)].filter(([, colon]) => colon);
  if (names.length !== 2 + conditions.filter((condition) => !Array.isArray(condition)).length) {
    throw badPolicy("members", "only expiration and conditions, each name once", other);
  }
  return { expiresAt: new Date(end + Number(fraction.padEnd(3, "0"))), conditions: parsed };
}

/** `["eq", "key", "a"]`: Amazon accepts such a policy, and then no form. */
function bareCondition(condition: unknown): FieldCondition | undefined {
  const [name, field, value, ...more] = Array.isArray(condition) ? condition : [];
  const operator = asText(name).toLowerCase();
  const isBare = /^[^$]/.test(asText(field)) && typeof value === "string" && more.length === 0;
  return isBare && (operator === "eq" || operator === "starts-with") ? { operator, field, value, isBare } : undefined;
}

/** What is wrong with a condition that cannot be read, as Amazon distinguishes it, and the text that shows it. */
function conditionProblem(condition: unknown): readonly [problem: string, found?: string] {
  if (Array.isArray(condition)) {
    const operator = asText(condition[0]);
    if (operator === "") return ["operation-missing"];
    if (!/^(?:eq|starts-with|content-length-range)$/i.test(operator)) return ["operation", operator];
    return condition.length === 3 ? ["condition"] : ["arguments", operator];
  }
  if (typeof condition !== "object" || condition === null) return ["condition-type"];
  return Object.keys(condition).length === 1 ? ["simple-value"] : ["simple-condition"];
}

/** Reads conditions. Operators and field names have no case. `refuse` makes the error for what cannot be read. */
export function parseConditions(
  conditions: readonly unknown[],
  refuse: (expected: string, found: unknown) => Error,
): readonly ParsedCondition[] {
  return conditions.map((condition) => {
    const [name, first, second, ...more] = Array.isArray(condition) ? condition : ["eq", ...member(condition)];
    const operator = asText(name).toLowerCase();
    const [min, max] = [wholeNumber(first), wholeNumber(second)];
    if (operator === "content-length-range" && min <= max && more.length === 0) return { operator, min, max };
    const isField = typeof first === "string" && /^\$./.test(first) && typeof second === "string" && more.length === 0;
    if (isField && (operator === "eq" || operator === "starts-with")) {
      return { operator, field: first.slice(1).toLowerCase(), value: second };
    }
    throw refuse(
      '["eq" or "starts-with", "$field", text], ["content-length-range", min, max] or {field: text}',
      condition,
    );
  });
}

// Not `String`: a list of one text would pass for the text, and a deep list overflows the stack.
function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function member(condition: unknown): readonly unknown[] {
  const [pair, ...more] = typeof condition === "object" ? Object.entries(condition ?? {}) : [];
  return pair === undefined ? [] : [`$${pair[0]}`, pair[1], ...more];
}

// A number, or its decimal digits as text: AWS accepts both. NaN compares as false.
function wholeNumber(value: unknown): number {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) && (number as number) >= 0 ? (number as number) : Number.NaN;
}

/**
 * The fields by lower-case name, `${filename}` in them replaced: "all variables within the form are expanded before the
 * policy is validated". The name that a browser gives may be a path of the sender's choice; "only the text following the
 * last slash or backslash is used", so that it stays one segment.
 *
 * @throws {DaypassError} `MALFORMED` for a repeated field, because servers differ in the value that they use
 */
export function expandFields(fields: FormFields, fileName: string): ReadonlyMap<string, string> {
  const file = fileName.replace(/^.*[/\\]/s, "");
  const expanded = new Map<string, string>();
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (expanded.has(lower)) throw malformed(lower, "duplicate", "one field");
    if (/^\.\.?$/.test(file) && value.includes(FILE_NAME))
      throw malformed(lower, "file-name", "a name for the file that is no dot segment");
    const text = value.replaceAll(FILE_NAME, () => file);
    // Half of a surrogate pair has no bytes in UTF-8, so no form can have carried it.
    if (/\p{Surrogate}/u.test(text)) throw malformed(lower, "encoding", "whole characters");
    expanded.set(lower, text);
  }
  return expanded;
}

/** The value of a field that has to be there. */
export function requiredField(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name);
  if (value) return value;
  throw malformed(name, "missing", "a field with a value before the file");
}

/** What a policy is held against. */
export interface CheckedForm {
  readonly fields: ReadonlyMap<string, string>;
  /** The bucket that the request is for. A field of that name only repeats it (CVE-2023-43040). */
  readonly bucket: string;
  /** Names of fields that no condition has to name. */
  readonly exempt: RegExp;
}

/**
 * Holds a form against the conditions of its policy: each must be met, and each field be named by one, but for the
 * exempt ones, `policy`, `file` and `x-ignore-*`. Returns the bytes that the file may have.
 *
 * @throws {DaypassError} `POLICY_NOT_MET`
 */
export function checkConditions(
  conditions: readonly ParsedCondition[],
  { fields, bucket, exempt }: CheckedForm,
): { readonly min: number; readonly max: number } | undefined {
  const values = new Map(fields).set("bucket", bucket);
  const named = new Set<string>();
  let range: { min: number; max: number } | undefined;
  for (const condition of conditions) {
    if (condition.operator === "content-length-range") {
      const { min, max } = condition;
      range = { min: Math.max(min, range?.min ?? 0), max: Math.min(max, range?.max ?? max) };
    } else {
      const { operator, field, value } = condition;
      named.add(field);
      if (!meets(values.get(field), condition)) {
        const shown = /token/.test(field) ? "…" : JSON.stringify(value);
        throw notMet("condition", `["${operator}", "${condition.isBare ? "" : "$"}${field}", ${shown}]`);
      }
    }
  }
  // Without this condition, the form would be good for every bucket of its signer.
  if (!named.has("bucket") || (fields.get("bucket") ?? bucket) !== bucket) throw notMet("field", "bucket");
  for (const name of fields.keys()) {
    if (!named.has(name) && !exempt.test(name) && !ALWAYS_EXEMPT.test(name)) throw notMet("field", name);
  }
  return range;
}

/** Fields of a form that need no condition, whatever the scheme. */
export const ALWAYS_EXEMPT: RegExp = /^(?:file|policy|x-ignore-.*)$/s;

/**
 * Whether a field's value meets a condition. "Content-Type values for a starts-with condition that include commas are
 * interpreted as lists": each must meet it, without the space after its comma. A field that is not there meets none.
 */
export function meets(found: string | undefined, { operator, field, value, isBare }: FieldCondition): boolean {
  if (isBare) return false;
  if (found === undefined || operator === "eq") return found === value;
  return (field === "content-type" ? found.split(/, */) : [found]).every((item) => item.startsWith(value));
}

function notMet(kind: "condition" | "field", found: string): DaypassError {
  const expected = kind === "field" ? "a policy with a condition for the field" : "a form that meets the condition";
  return refusal(
    "POLICY_NOT_MET",
    `the form does not meet its policy: ${expected} ${found}. Send it as it was signed`,
    { [kind]: found },
  );
}

function badPolicy(problem: string, expected: string, found?: string): DaypassError {
  return malformed("policy", problem, expected, found === undefined ? {} : { found: found.slice(0, 64) });
}
