import { base64, fromBase64, hex, utf8 } from "./encode.ts";
import { DaypassError, refusal } from "./errors.ts";
import { parseBasicTime } from "./time.ts";
import { percentDecode } from "./wire.ts";

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

/** What stands in a field for the file's own name. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the providers' own spelling
export const FILE_NAME = "${filename}";

/** Form fields before the file, in the order received. */
export type FormFields = readonly (readonly [name: string, value: string])[];

/** base64 of the policy document, ASCII throughout: "Unicode characters must be escaped" in it, for S3 and GCS alike. */
export function encodePolicy(expiresAt: Date, conditions: readonly PolicyCondition[]): string {
  const expiration = expiresAt.toISOString().replace(/\.\d+/, "");
  const text = JSON.stringify({ conditions, expiration });
  return base64(utf8(text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)));
}

// "The form data and boundaries (excluding the contents of the file) cannot exceed 20 KB."
const MAX_POLICY = 20_480;
const EXPIRATION = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3})\d{0,6})?Z$/;
const MEMBER = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/**
 * Reads a policy strictly. Whatever two readers could take for different policies is refused: other members than
 * `expiration` and `conditions`, a member that repeats (`JSON.parse` keeps the last one, others the first), a condition
 * with several members, unknown operators.
 *
 * @throws {DaypassError} `MALFORMED` with `details.parameter` `policy`
 */
export function decodePolicy(encoded: string): PostPolicy {
  const bytes = encoded.length > MAX_POLICY ? undefined : fromBase64(encoded);
  if (bytes === undefined) throw badPolicy("base64", `base64 of at most ${MAX_POLICY} characters, with exact padding`);
  let text: string;
  let document: unknown;
  try {
    // AWS writes a dollar sign in a value as `\$`, which JSON does not know.
    text = percentDecode(hex(bytes).replace(/../g, "%$&")).replace(/\\./gs, (pair) => (pair === "\\$" ? "$" : pair));
    document = JSON.parse(text);
  } catch (cause) {
    throw badPolicy("json", "a JSON document in UTF-8", cause);
  }
  const { expiration, conditions } = (document ?? {}) as Record<string, unknown>;
  if (typeof expiration !== "string" || !Array.isArray(conditions)) {
    throw badPolicy("members", "expiration as text and conditions as a list");
  }
  const parsed = conditions.map((condition) => {
    const read = parseCondition(condition);
    if (read !== undefined) return read;
    throw badPolicy(
      "condition",
      'conditions as ["eq" or "starts-with", "$field", text], ["content-length-range", min, max] or {field: text}',
    );
  });
  const members = [...text.matchAll(MEMBER)].filter(([, colon]) => colon !== undefined).length;
  const objects = conditions.filter((condition) => !Array.isArray(condition)).length;
  // Valid JSON in which each of these objects has the members that were read, and there are no more names than that.
  if (Object.keys(document as object).length !== 2 || members !== 2 + objects) {
    throw badPolicy("members", "only expiration and conditions, each name once");
  }
  return { expiresAt: parseExpiration(expiration), conditions: parsed };
}

function parseExpiration(text: string): Date {
  const [, year, month, day, hour, minute, second, fraction = "0"] = EXPIRATION.exec(text) ?? [];
  const date = parseBasicTime(`${year}${month}${day}T${hour}${minute}${second}Z`);
  if (date === undefined) throw badPolicy("expiration", "expiration as YYYY-MM-DDTHH:MM:SSZ");
  return new Date(date.getTime() + Number(fraction.padEnd(3, "0")));
}

/** One condition, or `undefined` for anything else. Operators and field names have no case. */
export function parseCondition(condition: unknown): ParsedCondition | undefined {
  const [name, first, second, ...more] = Array.isArray(condition) ? condition : ["eq", ...member(condition)];
  const operator = typeof name === "string" ? name.toLowerCase() : undefined;
  if (more.length > 0) return undefined;
  if (operator === "content-length-range") {
    const [min, max] = [wholeNumber(first), wholeNumber(second)];
    return min <= max ? { operator, min, max } : undefined;
  }
  if ((operator !== "eq" && operator !== "starts-with") || typeof first !== "string" || typeof second !== "string") {
    return undefined;
  }
  return /^\$./.test(first) ? { operator, field: first.slice(1).toLowerCase(), value: second } : undefined;
}

function member(condition: unknown): readonly unknown[] {
  const [pair, ...more] = typeof condition === "object" ? Object.entries(condition ?? {}) : [];
  return pair === undefined || more.length > 0 ? [] : [`$${pair[0]}`, pair[1]];
}

// A number, or its decimal digits as text: AWS takes both. NaN compares as false.
function wholeNumber(value: unknown): number {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) && (number as number) >= 0 ? (number as number) : Number.NaN;
}

/**
 * The fields by lower-case name, `${filename}` in them replaced: "all variables within the form are expanded before the
 * policy is validated". The name that a browser gives may be a path of the sender's choice; "only the text following the
 * last slash or backslash is used", so that it stays one segment.
 *
 * @throws {DaypassError} `MALFORMED` for a field that repeats: nobody could say which of its values counts
 */
export function expandFields(fields: FormFields, fileName = ""): ReadonlyMap<string, string> {
  const file = fileName.slice(Math.max(fileName.lastIndexOf("/"), fileName.lastIndexOf("\\")) + 1);
  const expanded = new Map<string, string>();
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (expanded.has(lower)) throw malformedField(lower, "duplicate", "it once, found it again");
    if (value.includes(FILE_NAME) && /^\.{1,2}$/.test(file)) {
      throw malformedField(lower, "file-name", 'a file name that is a name, found "." or ".."');
    }
    expanded.set(
      lower,
      value.replaceAll(FILE_NAME, () => file),
    );
  }
  return expanded;
}

/** What a policy is held against. */
export interface CheckedForm {
  readonly fields: ReadonlyMap<string, string>;
  /** The bucket that the request is for. A field of that name only repeats it (CVE-2023-43040). */
  readonly bucket: string;
  /** Fields of the signature's own that no condition has to name. */
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
      continue;
    }
    const { operator, field, value } = condition;
    named.add(field);
    if (!meets(values.get(field), condition)) {
      const shown = `["${operator}", "$${field}", ${/token/.test(field) ? "…" : JSON.stringify(value)}]`;
      throw notMet(`the field ${field}`, "condition", shown);
    }
  }
  // Without this condition, the form would be good for every bucket of its signer.
  if (!named.has("bucket")) throw notMet("a condition for the bucket", "condition", '["eq", "$bucket", …]');
  if ((fields.get("bucket") ?? bucket) !== bucket) throw notMet("the bucket of the request", "field", "bucket");
  for (const name of fields.keys()) {
    if (!named.has(name) && !exempt.test(name) && !ALWAYS_EXEMPT.test(name)) {
      throw notMet("a condition for every field", "field", name);
    }
  }
  return range;
}

const ALWAYS_EXEMPT = /^(?:file|policy|x-ignore-.*)$/s;

/**
 * Whether a field's value meets a condition. "Content-Type values for a starts-with condition that include commas are
 * interpreted as lists": each must meet it. A field that is not there meets none.
 */
export function meets(found: string | undefined, condition: FieldCondition): boolean {
  const { operator, field, value } = condition;
  if (found === undefined || operator === "eq") return found === value;
  return (field === "content-type" ? found.split(",") : [found]).every((item) => item.startsWith(value));
}

function notMet(expected: string, kind: "condition" | "field", found: string): DaypassError {
  return refusal("POLICY_NOT_MET", `${expected} as the form's policy has it: ${found}`, { [kind]: found });
}

function badPolicy(problem: string, expected: string, cause?: unknown): DaypassError {
  return malformedField("policy", problem, expected, cause);
}

/** `MALFORMED` for a field of a form, with what programs need to choose their provider's own error. */
export function malformedField(field: string, problem: string, expected: string, cause?: unknown): DaypassError {
  const details = { parameter: field, problem };
  return new DaypassError("MALFORMED", `form field ${field}: expected ${expected}`, { details, cause });
}

/** The value of a field that has to be there. */
export function requiredField(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name);
  if (value) return value;
  throw malformedField(name, "missing", "it with a value, before the file");
}
