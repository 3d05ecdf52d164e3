import {
  ALWAYS_EXEMPT,
  expandFields,
  FILE_NAME,
  type FieldCondition,
  meets,
  type ParsedCondition,
} from "../../forms/policy.ts";
import type { Cause } from "../explanation.ts";
import { bucketOfUrl, type FormKind } from "./kinds.ts";
import { conditionText, isFieldCondition, lengthRange, type ReadPolicy } from "./policy.ts";
import type { FormView } from "./view.ts";

/** A posted form and its policy. */
export interface PostedForm {
  readonly kind: FormKind;
  readonly form: FormView;
  readonly policy: ReadPolicy;
  readonly fileName: string | undefined;
  readonly fileSize: number | undefined;
}

/** Whether a form meets a condition; `undefined` if unknown. */
export function isMet(posted: PostedForm, condition: ParsedCondition): boolean | undefined {
  const { kind, form, fileSize } = posted;
  if (!isFieldCondition(condition)) {
    return fileSize === undefined ? undefined : fileSize >= condition.min && fileSize <= condition.max;
  }
  if (condition.field === "bucket") return isForBucket(kind, { form, bucket: condition.value });
  return meets(sentValue(posted, condition.field), condition);
}

/** The value of a field with the file's name filled in, which servers do first. */
function sentValue({ form, fileName }: PostedForm, field: string): string | undefined {
  const value = form.values.get(field);
  if (value === undefined) return undefined;
  try {
    return expandFields([[field, value]], fileName ?? "").get(field);
  } catch {
    return value;
  }
}

interface Target {
  readonly form: FormView;
  readonly bucket: string;
}

// In a foreign host, the first label can be a bucket or a server's name.
function isForBucket(kind: FormKind, { form: { url, values }, bucket }: Target): boolean | undefined {
  const field = values.get("bucket");
  if (field !== undefined && field !== bucket) return false;
  const found = bucketOfUrl(kind, url);
  if (found === bucket || url.authority.startsWith(`${bucket}.`)) return true;
  if (found === undefined) return kind.isOwnHost(url.authority) ? false : undefined;
  return false;
}

/** The first condition that is not met, or the first field without one, in the order in which servers look. */
export function conditionCause(posted: PostedForm): Cause | undefined {
  for (const condition of posted.policy.conditions) {
    if (isFieldCondition(condition) && isMet(posted, condition) === false) return unmet(posted, condition);
  }
  return extraField(posted);
}

/** The cause of an unmet condition. */
export function unmet(posted: PostedForm, condition: FieldCondition): Cause {
  const { form, kind } = posted;
  const { operator, field, value } = condition;
  const evidence = [`condition ${conditionText(condition)}`];
  const found = sentValue(posted, field);
  if (field === "bucket") {
    // The URL decides where the form goes, so its bucket comes first.
    const named = [bucketOfUrl(kind, form.url), form.values.get("bucket")].filter((name) => name !== undefined);
    const there = named.find((name) => name !== value) ?? named[0] ?? `no bucket (${form.url.authority})`;
    return {
      code: "BUCKET",
      sentence: `The form was signed for the bucket ${value}, but is posted to ${there}.`,
      evidence: [...evidence, `posted to ${form.url.text}`],
      fix: "Post the form to the URL that was signed with it.",
    };
  }
  if (found === undefined) {
    const isBehind = form.behindFile.includes(field);
    return {
      code: isBehind ? "FILE" : "FIELD",
      sentence: isBehind
        ? `The field ${field} comes after the file, where ${kind.provider} ignores it.`
        : `The policy requires the field ${field}, but the form does not send it.`,
      evidence,
      fix: isBehind ? "Send the file as the last field." : `Send ${field}${operator === "eq" ? `: ${value}` : ""}.`,
    };
  }
  const sent = JSON.stringify(found);
  if (field === "content-type") {
    return {
      code: "FIELD",
      sentence: `Content-Type is sent as ${sent}, but the policy allows ${operator === "eq" ? "only" : "what starts with"} ${JSON.stringify(value)}.`,
      evidence,
      fix: "Send the Content-Type that was signed, as a field of the form before the file: the file part's own header is ignored.",
    };
  }
  if (kind.own.test(field)) {
    return {
      code: "FIELD",
      sentence: `The field ${field} is ${sent}, but the signed policy says ${JSON.stringify(value)}: it was changed, or belongs to another form.`,
      evidence,
      fix: "Send all the fields of one form as they were made.",
    };
  }
  const isKey = field === "key" && form.values.get("key")?.includes(FILE_NAME);
  const told = operator === "eq" ? "allows only" : "allows what starts with";
  return {
    code: "FIELD",
    sentence: `The field ${field} is sent as ${sent}, but the policy ${told} ${JSON.stringify(value)}.`,
    evidence: isKey ? [...evidence, `${FILE_NAME} stands for the file's own name.`] : evidence,
    fix: `Send the ${field} that was signed, or ask for a form that allows this one.`,
  };
}

function extraField({ kind, form, policy }: PostedForm): Cause | undefined {
  const named = new Set(
    policy.conditions.flatMap((condition) => (isFieldCondition(condition) ? [condition.field] : [])),
  );
  if (named.size === 0) return undefined;
  for (const name of form.values.keys()) {
    if (!named.has(name) && !ALWAYS_EXEMPT.test(name) && !kind.exempt.test(name)) return extra(name);
  }
  // S3 answers "Extra input fields: bucket" although no such field is sent.
  return named.has("bucket") ? undefined : extra("bucket");
}

/** A field that no condition of the policy names. */
export function extra(name: string): Cause {
  const answer = (sentence: string, fix: string): Cause => ({
    code: "FIELD",
    sentence,
    evidence: ["Every field needs a condition, except the signature, policy, file and x-ignore-*."],
    fix,
  });
  const sentence = `The field ${name} is sent, but the policy has no condition for it`;
  if (name === "bucket")
    return answer(
      "The policy has no condition on the bucket: it would be valid for every bucket of the key, and is refused.",
      "Sign the form with a condition on bucket.",
    );
  if (name === "x-amz-security-token")
    return answer(
      `${sentence}: the session token was added after signing.`,
      "Give the session token to the signer, which puts it into the policy.",
    );
  if (/^(?:submit|commit|button|utf8|authenticity_token|_token)$/.test(name))
    return answer(`${sentence}.`, `Give the page's own field (${name}) no name, or a name that begins with x-ignore-.`);
  return answer(`${sentence}.`, `Sign the form with a condition on ${name}, or do not send the field.`);
}

/** The file is not within its range. */
export function lengthCause({ policy, fileSize }: PostedForm): Cause | undefined {
  const range = lengthRange(policy.conditions);
  if (range === undefined || fileSize === undefined) return undefined;
  return outOfRange(fileSize, range);
}

/** `undefined` for a length within the range. */
export function outOfRange(
  size: number | undefined,
  { min, max }: { readonly min: number; readonly max: number },
  way?: "large" | "small",
): Cause | undefined {
  const isLarge = way === "large" || (size !== undefined && size > max);
  if (!isLarge && way !== "small" && (size === undefined || size >= min)) return undefined;
  const has = size === undefined ? "" : ` It has ${size} bytes.`;
  return {
    code: "FILE",
    sentence: `The file is too ${isLarge ? "large" : "small"}: the policy takes ${isLarge ? `at most ${max}` : `at least ${min}`} bytes.${has}`,
    evidence: [`condition ["content-length-range", ${min}, ${max}]`],
    fix: isLarge
      ? "Send a smaller file, or ask for a form with a wider range."
      : "Send a whole file, or ask for a form with a wider range.",
  };
}
