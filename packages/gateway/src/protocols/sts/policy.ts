import { repeatsMember } from "../../http/json-members.ts";
import type { Allowance, KeyScope } from "../../pipeline/key-scope.ts";
import { Refusal } from "../../pipeline/refusal.ts";

/** Bytes. The token contains the policy. */
const MAX_POLICY = 2048;
const ACTION = /^(?:\*|s3:(?:[a-z]+\*?|\*))$/i;
// An existing folder is a bucket with any name.
const RESOURCE = /^(?:arn:aws:s3:::)?\*$|^arn:aws:s3:::[^/*?$]+(?:\/[^*?$]*\*?)?$/;
const ARN = "arn:aws:s3:::";

/**
 * The scope of a session policy. The supported part of the policy language: statements that allow actions of S3 on buckets and keys, with
 * a `*` at the end. Everything else is refused: an ignored restriction would grant more than the caller asked for.
 *
 * @throws {Refusal} `MALFORMED_POLICY`
 */
export function scopeOfPolicy(text: string): KeyScope {
  if (new TextEncoder().encode(text).length > MAX_POLICY) throw malformed(`at most ${MAX_POLICY} bytes`);
  const { Version, Statement, ...others } = record(parse(text), "an object");
  if (Object.keys(others).length > 0 || !["2012-10-17", "2008-10-17"].includes(String(Version))) {
    throw malformed('Version "2012-10-17" and Statement, and nothing else');
  }
  const statements: readonly unknown[] = Array.isArray(Statement) ? Statement : [Statement];
  if (statements.length === 0) throw malformed("at least one statement");
  return { allow: statements.map(readStatement) };
}

function readStatement(item: unknown): Allowance {
  const { Sid: _, Effect, Action, Resource, ...more } = record(item, "statements");
  if (Effect !== "Allow" || Object.keys(more).length > 0) {
    throw malformed("statements with Effect Allow, Action and Resource, and nothing else");
  }
  const actions = list(Action);
  if (!actions.every((action) => ACTION.test(action))) {
    throw malformed("actions such as s3:GetObject, s3:Get* and s3:*");
  }
  const resources = list(Resource);
  if (!resources.every((resource) => RESOURCE.test(resource))) {
    throw malformed("resources such as arn:aws:s3:::bucket, arn:aws:s3:::bucket/prefix* and *");
  }
  return { actions, resources: resources.map((resource) => resource.replace(ARN, "")) };
}

function parse(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed("JSON");
  }
  if (repeatsMember(text, value)) throw malformed("each member once");
  return value;
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(what);
  return { ...value };
}

function list(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (items.length === 0 || !items.every((item): item is string => typeof item === "string")) {
    throw malformed("Action and Resource as text or lists of texts");
  }
  return items;
}

function malformed(expected: string): Refusal {
  return new Refusal("MALFORMED_POLICY", `the session policy is not valid. It must hold ${expected}`, { expected });
}
