import type { Bindings, Constraints } from "../core/contracts.ts";
import { invalidInput } from "../core/errors.ts";
import { checkOptions, optionPairs } from "../core/validate-options.ts";
import { FILE_NAME, meets, type PolicyCondition, parseConditions } from "./policy.ts";

/** What a form of any provider may ask for, beside its bucket and key. */
export interface FormRequest extends Constraints {
  /** Bytes of the file: exact, or a range. */
  readonly contentLength?: Bindings["contentLength"];
  /** Fields that the holder must send with exactly these values: `acl`, `Content-Type`, `success_action_status`, … */
  readonly fields?: Readonly<Record<string, string>> | undefined;
  /** Further conditions, in the provider's own words. A field that only they name is for the holder to fill in. */
  readonly conditions?: readonly PolicyCondition[] | undefined;
  /** Any name below this path, which ends with `/`, instead of one key: the file keeps its own name. */
  readonly prefix?: string | undefined;
}

/** A form before it is signed. */
export interface FormDraft {
  /** In the order in which they are sent, without the signature's own fields. */
  readonly fields: Readonly<Record<string, string>>;
  /** Without those for the signature's own fields. */
  readonly conditions: readonly PolicyCondition[];
  readonly bound: readonly string[];
  readonly unbound: readonly string[];
  readonly warnings: readonly string[];
}

/** What {@link draftForm} needs from its scheme. */
export interface FormTarget {
  /** The provider's name, for messages. */
  readonly scheme: string;
  readonly bucket: string;
  /** The key or object name, with `${filename}` in place of the file's own name. Left out with `prefix`. */
  readonly key: string | undefined;
  /** Matches the options of a request. */
  readonly known: RegExp;
  /** Names of fields that the signature sets itself. */
  readonly reserved: RegExp;
}

const FIELD_NAME = /^[!#$%&'*+\-.^`|~\w]+$/;
const INSTEAD = {
  "bind.headers": "use fields",
  "bind.sha256": "use a checksum field",
};

/**
 * Turns a request into fields and conditions: each field is bound to its value, and one with `${filename}` to what stands
 * before it. Refuses constraints that forms cannot bind, and conditions that the form's own fields would not meet.
 *
 * @throws {DaypassError} `INVALID_INPUT`, `UNSUPPORTED_CONSTRAINT`
 */
export function draftForm(
  request: FormRequest,
  { scheme, bucket, key: oneKey, known, reserved }: FormTarget,
): FormDraft {
  const { bind, prefix } = request;
  checkOptions(request, { scheme: `a form of ${scheme}`, known, instead: INSTEAD });
  const key = oneKey ?? `${prefix}${FILE_NAME}`;
  // A prefix without a slash at its end would admit `private.txt` where `pr` was meant.
  if ((typeof oneKey === "string") === (typeof prefix === "string") || !(prefix ?? "a/").slice(1).endsWith("/")) {
    throw invalidInput("the key", "a key, or a prefix that ends with /", oneKey ?? prefix);
  }
  const more: unknown = request.conditions ?? [];
  if (!Array.isArray(more)) throw invalidInput("conditions", "a list", more);
  const conditions: PolicyCondition[] = [...more, ...lengthRange(request)];
  const given = parseConditions(conditions, (expected, found) =>
    invalidInput("conditions", expected, JSON.stringify(found)),
  );
  const fields: Record<string, string> = { key };
  const values = new Map([["bucket", bucket]]);
  const bound = ["bucket", "time"];
  const warnings: string[] = [];

  const bindField = (name: string, value: string): void => {
    if (typeof value !== "string" || !FIELD_NAME.test(name) || values.has(name.toLowerCase()) || reserved.test(name)) {
      throw invalidInput(`fields.${name}`, "one string, in a field that the signer does not set itself", "another");
    }
    values.set(name.toLowerCase(), value);
    fields[name] = value;
    const [start = "", end] = value.split(FILE_NAME);
    conditions.push(end === undefined ? { [name]: value } : ["starts-with", `$${name}`, start]);
    bound.push(end === undefined ? name : `${name} from its start to ${FILE_NAME}`);
    if (end) warnings.push(`what follows ${FILE_NAME} in ${name} is not bound: the holder may change it`);
    if (/[\r\n]/.test(value)) warnings.push(`browsers send a line break in ${name} as CR LF, which is another value`);
  };
  for (const [name, value] of optionPairs<string>("fields", request.fields)) bindField(name, value);
  if (bind?.contentType !== undefined) bindField("Content-Type", bind.contentType);
  conditions.push({ bucket });
  if (key.startsWith(FILE_NAME) && !given.some((condition) => "field" in condition && condition.field === "key")) {
    throw invalidInput(
      "the key",
      `something before ${FILE_NAME}, or a condition on $key if any key may be written`,
      key,
    );
  }
  bindField("key", key);

  const open = new Set(["the file", "its length", "Content-Type"]);
  let [least, most] = [0, Number.POSITIVE_INFINITY];
  for (const condition of given) {
    if (condition.operator === "content-length-range") {
      [least, most] = [Math.max(least, condition.min), Math.min(most, condition.max)];
      if (least > most) throw invalidInput("conditions", "lengths that one file can meet", `${least} and ${most}`);
      if (open.delete("its length")) bound.push("length of the file");
    } else {
      const value = values.get(condition.field);
      if (reserved.test(condition.field)) {
        throw invalidInput("conditions", "conditions without fields that the signer sets", `$${condition.field}`);
      }
      if (value === undefined) open.add(`${condition.field}, as far as its condition goes`);
      else if (!meets(value, condition)) {
        throw invalidInput("conditions", "conditions that the form's own fields meet", `$${condition.field}`);
      }
    }
  }
  if (values.has("content-type")) open.delete("Content-Type");
  return { fields, conditions, bound, unbound: [...open], warnings };
}

/** One for each option that asks: a file has to meet all of them. */
function lengthRange({ bind, contentLength }: FormRequest): readonly PolicyCondition[] {
  return [contentLength, bind?.contentLength].flatMap((length): readonly PolicyCondition[] => {
    if (length === undefined) return [];
    const { min = 0, max } = Object(typeof length === "number" ? { min: length, max: length } : length);
    return [["content-length-range", min, max]];
  });
}
