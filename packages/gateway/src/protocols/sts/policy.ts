import { Refusal } from "../../pipeline/refusal.ts";
import type { KeyScope } from "../protocol.ts";

/** What a session policy may name, and the methods it is about. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  "s3:GetObject": ["GET"],
  "s3:ListBucket": ["GET"],
  "s3:PutObject": ["PUT", "POST"],
  "s3:DeleteObject": ["DELETE"],
  "s3:AbortMultipartUpload": ["DELETE"],
  "s3:ListMultipartUploadParts": ["GET"],
};
const MAX_POLICY = 2048;

/**
 * The scope that a session policy leaves. A scope has methods, buckets and one prefix, so of the policy language this much is
 * read: statements that allow actions on objects of one bucket, or of several as a whole. Anything else is refused and not
 * guessed at: a condition that is ignored would grant more than was asked for.
 *
 * @throws {Refusal} `MALFORMED_POLICY`
 */
export function scopeOfPolicy(text: string): KeyScope {
  if (text.length > MAX_POLICY) throw malformed(`at most ${MAX_POLICY} characters`);
  const { Version, Statement, ...others } = record(parse(text), "an object");
  if (Object.keys(others).length > 0 || !["2012-10-17", "2008-10-17"].includes(String(Version))) {
    throw malformed('Version "2012-10-17" and Statement, and nothing else');
  }
  const methods = new Set<string>();
  const places = new Map<string, Set<string>>();
  for (const item of Array.isArray(Statement) ? Statement : [Statement]) {
    const { Sid: _, Effect, Action, Resource, ...more } = record(item, "statements");
    if (Effect !== "Allow" || Object.keys(more).length > 0) {
      throw malformed("statements with Effect Allow, Action and Resource, and nothing else");
    }
    for (const action of list(Action)) for (const method of methodsOf(action)) methods.add(method);
    for (const resource of list(Resource)) {
      const { bucket, prefix } = placeOf(resource);
      places.set(bucket, (places.get(bucket) ?? new Set()).add(prefix));
    }
  }
  const buckets = places.has("*") ? undefined : [...places.keys()];
  const prefixes = new Set([...places.values()].flatMap((found) => [...found]).filter((prefix) => prefix !== BUCKET));
  const [prefix = "", ...further] = prefixes;
  if (further.length > 0) throw malformed("one prefix of keys for all resources");
  return {
    ...(methods.size === ALL_METHODS.length ? {} : { methods: [...methods] }),
    ...(buckets === undefined ? {} : { buckets }),
    ...(prefix === "" ? {} : { prefix }),
  };
}

const ALL_METHODS = ["GET", "PUT", "POST", "DELETE"];
/** A resource that is the bucket itself. */
const BUCKET = "\0";

function methodsOf(action: string): readonly string[] {
  if (action === "s3:*" || action === "*") return ALL_METHODS;
  const methods = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (methods === undefined) throw malformed(`actions among s3:*, ${Object.keys(ACTIONS).join(", ")}`);
  return methods;
}

function placeOf(resource: string): { readonly bucket: string; readonly prefix: string } {
  if (resource === "*" || resource === "arn:aws:s3:::*") return { bucket: "*", prefix: "" };
  const [, bucket, key] = /^arn:aws:s3:::([a-z0-9][a-z0-9.-]*)(?:\/(.*))?$/.exec(resource) ?? [];
  if (bucket === undefined) throw malformed("resources as arn:aws:s3:::bucket or arn:aws:s3:::bucket/prefix/*");
  if (key === undefined) return { bucket, prefix: BUCKET };
  const prefix = key.slice(0, -1);
  // A scope goes by whole segments.
  if (!key.endsWith("*") || /[*?$]/.test(prefix) || !(prefix === "" || prefix.endsWith("/"))) {
    throw malformed("resources that end in /*, without other wildcards");
  }
  return { bucket, prefix };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed("JSON");
  }
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
  return items as readonly string[];
}

function malformed(expected: string): Refusal {
  return new Refusal("MALFORMED_POLICY", `expected a session policy with ${expected}, found another`, { expected });
}
