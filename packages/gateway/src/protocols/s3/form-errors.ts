import type { ErrorDetails } from "daypass";
import { credentialMessage, formFieldName, invalidArgument, type S3Error } from "./signature-errors.ts";

/** Amazon's words for a policy that cannot be read, by problem. versitygw recorded them. */
const POLICY_MESSAGES: Readonly<Record<string, string>> = {
  base64: "invalid Base64 encoding.",
  json: "Invalid JSON.",
  members: 'Unexpected: "{found}"',
  "expiration-missing": "Policy missing expiration.",
  expiration: "Invalid 'expiration' value: '{found}'",
  "conditions-missing": "Policy missing conditions.",
  conditions: "Invalid 'conditions' value: must be a List.",
  "condition-type": "Invalid condition test: must be a List or Object.",
  "operation-missing": "Invalid Condition: missing operation identifier.",
  operation: "Invalid Condition: unknown operation '{found}'.",
  arguments: "Invalid {found}: wrong number of arguments.",
  "simple-condition": "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
  "simple-value": "Invalid Simple-Condition: value must be a string.",
  condition: "Invalid Condition: an argument has the wrong form.",
};

/** The error for a field of a form, the policy among them. */
export function formFieldError(details: ErrorDetails): S3Error {
  const { parameter = "", problem = "", found = "", value } = details;
  if (parameter === "policy" && problem !== "missing") {
    const message = (POLICY_MESSAGES[String(problem)] ?? "Invalid JSON.").replace("{found}", () => String(found));
    return { status: 400, code: "InvalidPolicyDocument", message: `Invalid Policy: ${message}` };
  }
  const name = formFieldName(String(parameter));
  const missing = `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`;
  const message =
    problem === "missing" ? missing : (credentialMessage(details) ?? `The form field '${name}' is not well-formed.`);
  return invalidArgument(name, message, value === undefined ? undefined : String(value));
}
