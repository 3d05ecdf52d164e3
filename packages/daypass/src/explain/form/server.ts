import type { FieldCondition } from "../../forms/policy.ts";
import { serverCause } from "../cause/server-cause.ts";
import type { ServerError } from "../error-body.ts";
import type { Cause } from "../explanation.ts";
import { conditionCause, extra, isMet, outOfRange, type PostedForm, unmet } from "./conditions.ts";
import { isFieldCondition, lengthRange } from "./policy.ts";

/** The meaning of an answer to a form. Reads the messages of S3, MinIO, Cloud Storage and Daypass. */
export function formServerCause(error: ServerError, posted: PostedForm, now: Date): Cause | undefined {
  const { code, message, fields } = error;
  const told = [message, ...["Details", "Condition"].map((name) => fields.get(name) ?? "")].join("\n");
  const said = `The server says ${code}${message === "" ? "" : `: ${message}`}`;
  const withEvidence = ({ code, sentence, evidence = [], fix }: PlainCause & Partial<Cause>): Cause => ({
    code,
    sentence,
    evidence: [said, ...evidence],
    fix,
  });

  if (/Policy expired|policy (?:document )?(?:has )?expired/i.test(told) || code === "EXPIRED") {
    return withEvidence(ended(posted.policy.endsAt, now));
  }
  const failed = failedCondition(told);
  if (failed !== undefined) return withEvidence(shownCondition(posted, failed));
  const field = /Extra input fields:\s*([^\s,]+)|did not reference these fields:\s*([^\s,]+)/i.exec(told);
  const name = field?.[1] ?? field?.[2];
  if (name !== undefined) return withEvidence(extra(name.toLowerCase().replace(/[.'"\]]+$/, "")));
  if (code === "EntityTooLarge" || code === "EntityTooSmall") return withEvidence(lengthAnswer(error, posted));
  if (code === "POLICY_NOT_MET" || code === "InvalidPolicyDocument") {
    return withEvidence(conditionCause(posted) ?? { ...POLICY, sentence: `${POLICY.sentence}: ${told.trim()}` });
  }
  const missing = /must contain a field named '?([\w-]+)'?/i.exec(message)?.[1]?.toLowerCase();
  if (missing !== undefined) return withEvidence(missing === "file" ? NO_FILE : missingField(posted, missing));
  const plain = PLAIN.find(({ codes = [], says }) => codes.includes(code) || says?.test(told));
  return plain === undefined ? serverCause(error, now, "form") : withEvidence(plain.cause);
}

type PlainCause = Omit<Cause, "evidence">;

const POLICY: PlainCause = {
  code: "POLICY",
  sentence: "The server cannot use the policy",
  fix: "Send the policy as it was signed: JSON with expiration and conditions, in one line of base64.",
};
const NO_FILE: PlainCause = {
  code: "FILE",
  sentence: "The form has no file, or its field is not named file.",
  fix: "Append the file as the last field, named file.",
};

/** Answers that say all by their code or their words, in the order in which they are looked for. */
const PLAIN: readonly {
  readonly codes?: readonly string[];
  readonly says?: RegExp;
  readonly cause: PlainCause;
}[] = [
  {
    codes: ["IncorrectNumberOfFilesInPostRequest"],
    says: /exactly one file upload/i,
    cause: {
      code: "FILE",
      sentence: "The form carries no file, or more than one.",
      fix: "Send exactly one field named file, as the last one.",
    },
  },
  {
    codes: ["MalformedPOSTRequest"],
    says: /enclosure-type|multipart\/form-data/i,
    cause: {
      code: "MALFORMED",
      sentence: "The request is not a multipart form as the server reads it.",
      fix: "Post multipart/form-data (enctype of the form, or FormData), and let the client write the Content-Type with its boundary.",
    },
  },
  {
    codes: ["MaxPostPreDataLengthExceeded", "MaxPostPreDataLengthExceededError"],
    cause: {
      code: "FILE",
      sentence: "The fields before the file are larger than 20 KB: most often the file's field is not named file.",
      fix: "Name the file's field `file`, and keep the other fields short.",
    },
  },
  {
    codes: ["MethodNotAllowed"],
    cause: {
      code: "ENDPOINT",
      sentence: "The form was not posted to a bucket: the path is an object's, or the host names no bucket.",
      fix: "Post to the URL that was signed with the form; the object's key is the field key.",
    },
  },
];

function ended(end: Date | undefined, now: Date): PlainCause {
  if (end !== undefined && now < end) {
    const sentence = `The form has expired by the server's clock, but not by this one (it expires at ${end.toISOString()}, now is ${now.toISOString()}).`;
    return { code: "CLOCK", sentence, fix: "Set the clocks (NTP)." };
  }
  const at = end === undefined ? "" : `: it was valid until ${end.toISOString()}`;
  return { code: "EXPIRED", sentence: `The form has expired${at}.`, fix: "Ask for a new form." };
}

function missingField({ form }: PostedForm, name: string): PlainCause {
  const isSent = form.values.has(name) || form.behindFile.includes(name);
  return {
    code: isSent ? "FILE" : "FIELD",
    sentence: isSent
      ? `The field ${name} did not reach the server before the file: fields after the file are ignored.`
      : `The form does not send the field ${name}.`,
    fix: "Append the fields first, and the file last.",
  };
}

/** `["eq", "$acl", "private"]` as in S3's message, or without quotes as in MinIO's. */
function failedCondition(text: string): FieldCondition | undefined {
  const form = /\[\s*"?(eq|starts-with)"?\s*,\s*"?\$([\w.-]{1,100})"?\s*,\s*"?([^\]]{0,4000}?)"?\s*\]/i;
  const [, operator = "", field, value = ""] = form.exec(text) ?? [];
  if (field === undefined) return undefined;
  return { operator: operator.toLowerCase() === "eq" ? "eq" : "starts-with", field: field.toLowerCase(), value };
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
  const limits = {
    min: number("MinSizeAllowed") ?? range.min,
    max: number("MaxSizeAllowed", "MaxSize") ?? range.max,
  };
  return outOfRange(size, limits, code === "EntityTooLarge" ? "large" : "small") as Cause;
}
