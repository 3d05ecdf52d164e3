import { Refusal } from "../../pipeline/refusal.ts";
import type { KeyScope } from "../protocol.ts";

/** What a session policy may name, and the methods it is about. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  "s3:GetObject": ["GET"],
  "s3:PutObject": ["PUT", "POST"],
  "s3:DeleteObject": ["DELETE"],
};
/** What a method brings with it. Without the method none of them can be allowed: it would let more through than was asked for. */
const COMPANIONS: Readonly<Record<string, string>> = {
  "s3:ListBucket": "GET",
  "s3:ListMultipartUploadParts": "GET",
  "s3:AbortMultipartUpload": "DELETE",
};
const ALL_ACTIONS = "s3:*";
const ALL_METHODS = ["GET", "PUT", "POST", "DELETE"];
const MAX_POLICY = 2048;

/** Keys of a bucket, or the bucket itself. `*` is every bucket. */
interface Place {
  readonly bucket: string;
  /** Of the keys; `undefined` for the bucket itself. */
  readonly prefix: string | undefined;
}

type AllowedPlace = Place & { readonly actions: Set<string> };

/**
 * The scope that a session policy leaves. A scope is methods × buckets × one prefix, so of the policy language this much is read:
 * statements that allow the same actions on the keys of each bucket that they name. Anything else is refused and not guessed
 * at: what is ignored would grant more than was asked for. Who may read keys may list them; calls on the bucket itself take `s3:*`
 * on the bucket and on its keys.
 *
 * @throws {Refusal} `MALFORMED_POLICY`
 */
export function scopeOfPolicy(text: string): KeyScope {
  const places = readPlaces(text);
  const keys = places.filter(({ prefix }) => prefix !== undefined);
  const [first] = keys;
  if (first === undefined) throw malformed("keys among its resources, as arn:aws:s3:::bucket/*");
  if (keys.some(({ prefix }) => prefix !== first.prefix)) throw malformed("one prefix of keys for all resources");
  const methods = methodsOf(first);
  if (keys.some((place) => methodsOf(place).join() !== methods.join())) {
    throw malformed("the same actions on the keys of all buckets");
  }
  const buckets = keys.map(({ bucket }) => bucket);
  for (const { bucket, actions } of places) {
    for (const action of actions) {
      const method = COMPANIONS[action];
      if (method === undefined || methods.includes(method)) continue;
      throw malformed(`${action} only where the ${method} of objects is allowed too`);
    }
    if (!buckets.includes(bucket)) throw malformed("keys of each bucket that it names");
  }
  const isWhole = (bucket: string): boolean =>
    places.filter((place) => place.bucket === bucket && place.actions.has(ALL_ACTIONS)).length === 2;
  return {
    ...(methods.length === ALL_METHODS.length ? {} : { methods }),
    ...(buckets.includes("*") ? {} : { buckets }),
    // A prefix, be it empty, leaves nothing to say in the bucket itself.
    ...(first.prefix === "" && buckets.every(isWhole) ? {} : { prefix: first.prefix }),
  };
}

function readPlaces(text: string): readonly AllowedPlace[] {
  if (text.length > MAX_POLICY) throw malformed(`at most ${MAX_POLICY} characters`);
  const { Version, Statement, ...others } = record(parse(text), "an object");
  if (Object.keys(others).length > 0 || !["2012-10-17", "2008-10-17"].includes(String(Version))) {
    throw malformed('Version "2012-10-17" and Statement, and nothing else');
  }
  const places = new Map<string, AllowedPlace>();
  for (const item of Array.isArray(Statement) ? Statement : [Statement]) {
    const { Sid: _, Effect, Action, Resource, ...more } = record(item, "statements");
    if (Effect !== "Allow" || Object.keys(more).length > 0) {
      throw malformed("statements with Effect Allow, Action and Resource, and nothing else");
    }
    const actions = list(Action).map(readAction);
    for (const place of list(Resource).flatMap(placesOf)) {
      const id = JSON.stringify([place.bucket, place.prefix]);
      const before = places.get(id)?.actions ?? [];
      places.set(id, { ...place, actions: new Set([...before, ...actions]) });
    }
  }
  return [...places.values()];
}

function readAction(action: string): string {
  if (action === "*") return ALL_ACTIONS;
  if (action === ALL_ACTIONS || Object.hasOwn(ACTIONS, action) || Object.hasOwn(COMPANIONS, action)) return action;
  throw malformed(`actions among s3:*, ${[...Object.keys(ACTIONS), ...Object.keys(COMPANIONS)].join(", ")}`);
}

function methodsOf({ actions }: AllowedPlace): readonly string[] {
  if (actions.has(ALL_ACTIONS)) return ALL_METHODS;
  const allowed = new Set([...actions].flatMap((action) => ACTIONS[action] ?? []));
  return ALL_METHODS.filter((method) => allowed.has(method));
}

function placesOf(resource: string): readonly Place[] {
  const [, every, bucket = "*", key] =
    /^(?:(\*|arn:aws:s3:::\*)|arn:aws:s3:::([a-z0-9][a-z0-9.-]*)(?:\/(.*))?)$/.exec(resource) ?? [];
  if (every !== undefined) return [undefined, ""].map((prefix) => ({ bucket: "*", prefix }));
  if (bucket === "*") throw malformed("resources as arn:aws:s3:::bucket or arn:aws:s3:::bucket/prefix/*");
  if (key === undefined) return [{ bucket, prefix: undefined }];
  const prefix = key.slice(0, -1);
  // A scope goes by whole segments.
  if (!key.endsWith("*") || /[*?$]/.test(prefix) || !(prefix === "" || prefix.endsWith("/"))) {
    throw malformed("resources that end in /*, without other wildcards");
  }
  return [{ bucket, prefix }];
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
