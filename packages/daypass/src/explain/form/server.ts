import type { FieldCondition } from "../../forms/policy.ts";
import { type AnswerRule, ruleCause } from "../cause/answer-rules.ts";
import { serverCause } from "../cause/server-cause.ts";
import type { ServerError } from "../error-body.ts";
import type { Cause } from "../explanation.ts";
import { conditionCause, extra, isMet, outOfRange, type PostedForm, unmet } from "./conditions.ts";
import { isFieldCondition, lengthRange } from "./policy.ts";

/** The meaning of an answer to a form. Reads the messages of S3, MinIO, Cloud Storage and Daypass. */
export function formServerCause(error: ServerError, posted: PostedForm, now: Date): Cause | undefined {
  const { code, message, fields } = error;
  const text = [message, ...["Details", "Condition"].map((name) => fields.get(name) ?? "")].join("\n");
  const own = conditionAnswer(error, posted, text) ?? fieldAnswer(error, posted);
  const cause = /policy (?:document )?(?:has )?expired/i.test(text) || code === "EXPIRED" ? ended(posted, now) : own;
  if (cause === undefined) {
    return ruleCause(FORM_RULES, { ...error, message: text.trim() }, "form") ?? serverCause(error, now, "form");
  }
  const said = `The server says ${code}${message === "" ? "" : `: ${message}`}`;
  return { ...cause, evidence: [said, ...cause.evidence] };
}

/** The answer is about the policy, one of its conditions or the file's length. */
function conditionAnswer(error: ServerError, posted: PostedForm, text: string): Cause | undefined {
  const { code } = error;
  const failed = failedCondition(text);
  if (failed !== undefined) return shownCondition(posted, failed);
  if (code === "EntityTooLarge" || code === "EntityTooSmall") return lengthAnswer(error, posted);
  const [, field] = EXTRA.exec(text) ?? [];
  if (field !== undefined) return extra(field.toLowerCase().replace(/[.'"\]]+$/, ""));
  if (code !== "POLICY_NOT_MET" && code !== "InvalidPolicyDocument") return undefined;
  return (
    conditionCause(posted) ?? {
      code: "POLICY",
      sentence: `The server cannot use the policy: ${text.trim()}`,
      evidence: [],
      fix: "Send the policy as it was signed: JSON with expiration and conditions, in one line of base64.",
    }
  );
}

const EXTRA = /(?:Extra input fields|did not reference these fields|Policy missing condition):\s*([^\s,]+)/i;

/** The answer names a missing field. */
function fieldAnswer({ message }: ServerError, { form }: PostedForm): Cause | undefined {
  const name = /must contain a field named '?([\w-]+)'?/i.exec(message)?.[1]?.toLowerCase();
  if (name === undefined) return undefined;
  const isSent = form.values.has(name) || form.behindFile.includes(name);
  const isFile = name === "file";
  const fault = isSent
    ? `The field ${name} did not reach the server before the file: fields after the file are ignored.`
    : `The form does not send the field ${name}.`;
  return {
    code: isSent || isFile ? "FILE" : "FIELD",
    sentence: isFile ? "The form has no file, or its field is not named file." : fault,
    evidence: [],
    fix: isFile ? "Append the file as the last field, named file." : "Append the fields first, and the file last.",
  };
}

const NO_FILE = {
  cause: "FILE",
  sentence: "The form carries no file, or more than one.",
  fix: "Send exactly one field named file, as the last one.",
} as const;
const NO_MULTIPART = {
  cause: "MALFORMED",
  sentence: "The request is not a multipart form as the server reads it.",
  fix: "Post multipart/form-data (enctype of the form, or FormData), and let the client write the Content-Type with its boundary.",
} as const;

const FORM_RULES: readonly AnswerRule[] = [
  { code: /^IncorrectNumberOfFilesInPostRequest$/, ...NO_FILE },
  { says: /exactly one file upload/i, ...NO_FILE },
  { code: /^MalformedPOSTRequest$/, ...NO_MULTIPART },
  { says: /enclosure-type|multipart\/form-data/i, ...NO_MULTIPART },
  {
    code: /^MaxPostPreDataLengthExceeded/,
    cause: "FILE",
    sentence: "The fields before the file are larger than 20 KB: most often the file's field is not named file.",
    fix: "Name the file's field `file`, and keep the other fields short.",
  },
  {
    code: /^MethodNotAllowed$/,
    cause: "ENDPOINT",
    sentence: "The form was not posted to a bucket: the path is an object's, or the host names no bucket.",
    fix: "Post to the URL that was signed with the form; the object's key is the field key.",
  },
];

function ended({ policy: { endsAt } }: PostedForm, now: Date): Cause {
  if (endsAt !== undefined && now < endsAt) {
    const sentence = `The form has expired by the server's clock, but not by this one (it expires at ${endsAt.toISOString()}, now is ${now.toISOString()}).`;
    return { code: "CLOCK", sentence, evidence: [], fix: "Set the clocks (NTP)." };
  }
  const at = endsAt === undefined ? "" : `: it was valid until ${endsAt.toISOString()}`;
  return { code: "EXPIRED", sentence: `The form has expired${at}.`, evidence: [], fix: "Ask for a new form." };
}

/** S3 writes `["eq", "$acl", "private"]`, MinIO the same without quotes, radosgw `eq: $acl, private` or the field alone. */
const FAILED = [
  /\[\s*"?(eq|starts-with)"?\s*,\s*"?\$([\w.-]{1,100})"?\s*,\s*"?([^\]]{0,4000}?)"?\s*\]/i,
  /Policy condition failed: (eq|starts-with): \$([\w.-]{1,100}), (.{0,4000})/i,
  /Policy check failed, variable (?:not found|not met condition)(): ([\w.-]{1,100})/i,
];

function failedCondition(text: string): FieldCondition | undefined {
  const [, operator = "", field, value = ""] =
    FAILED.map((form) => form.exec(text)).find((found) => found !== null) ?? [];
  if (field === undefined) return undefined;
  return {
    operator: operator.toLowerCase() === "starts-with" ? "starts-with" : "eq",
    field: field.toLowerCase(),
    value,
  };
}

/** The cause of the condition that failed at the server. */
function shownCondition(posted: PostedForm, failed: FieldCondition): Cause {
  const own = posted.policy.conditions.find(
    (condition) =>
      isFieldCondition(condition) && condition.field === failed.field && condition.operator === failed.operator,
  );
  const condition = own !== undefined && isFieldCondition(own) ? own : failed;
  if (isMet(posted, condition) === false) return unmet(posted, condition);
  const what = failed.field === "bucket" ? "the bucket" : `the field ${failed.field}`;
  return {
    code: failed.field === "bucket" ? "BUCKET" : "FIELD",
    sentence: `The server says that the policy does not allow ${what}, but in this form it matches the policy: the form was changed before it arrived.`,
    evidence: [],
    fix: "Compare the request that was sent (the browser's network tab) with this form: look for a field that is missing, changed, or after the file.",
  };
}

function lengthAnswer({ code, fields }: ServerError, posted: PostedForm): Cause {
  const number = (...names: readonly string[]): number | undefined => {
    const text = names.map((name) => fields.get(name)).find((value) => value !== undefined);
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  };
  const range = lengthRange(posted.policy.conditions) ?? { min: 0, max: 5_368_709_120 };
  const size = number("ProposedSize") ?? posted.fileSize;
  const limits = { min: number("MinSizeAllowed") ?? range.min, max: number("MaxSizeAllowed", "MaxSize") ?? range.max };
  return outOfRange(size, limits, code === "EntityTooLarge" ? "large" : "small") as Cause;
}
