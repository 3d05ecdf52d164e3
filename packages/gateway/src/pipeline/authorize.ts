import { DaypassError, type Grant } from "daypass";
import type {
  Authenticated,
  Permit,
  PermittedBucket,
  PermittedBuckets,
  PermittedObject,
  PermittedPrefix,
} from "../permit.ts";
import type { ObjectRef } from "../storage/contract/storage.ts";
import type { FoundScopes, ReadScope } from "./key-scope.ts";
import { Refusal } from "./refusal.ts";
import { DOT_SEGMENT, isBelow, type Resource, scopeBreach } from "./scope-match.ts";

// "The name for a key is a sequence of Unicode characters whose UTF-8 encoding is at most 1,024 bytes long."
const MAX_KEY_BYTES = 1024;

/**
 * Holds the grant against the scope of the key that signed it, as the scope is now: a key that was narrowed or taken back
 * after signing refuses its older URLs (CVE-2026-35604).
 *
 * @throws {DaypassError} `KEY_SCOPE`, `UNKNOWN_KEY`
 * @throws {Refusal} `KEY_TOO_LONG`
 */
export function authorize(authenticated: Authenticated, now: number): Permit | Promise<Permit> {
  const { protocol, grant } = authenticated;
  if (protocol.scopes === undefined) return permit(authenticated, { scopes: undefined, now });
  const found = protocol.scopes(grant);
  return isPromise(found)
    ? found.then((scopes) => scoped(authenticated, scopes, now))
    : scoped(authenticated, found, now);
}

/**
 * Holds what a request asks for against the session policies of its scopes. It is known only when the request has been read, so the
 * protocol asks; the functions below refuse what was not asked.
 *
 * @throws {DaypassError} `KEY_SCOPE`
 */
export function permitAction<G extends Grant>(permit: Permit<G>, action: string): Permit<G> {
  const { object, scopes } = permit;
  if (scopes?.some(({ allow }) => allow !== undefined) !== true) return permit;
  if (object !== undefined) expectAllowed({ scopes, action }, object);
  return { ...permit, action };
}

/**
 * Permits a call on a bucket as a whole. A key that has a prefix, be it the empty one, is for objects and has no say in it.
 *
 * @throws {DaypassError} `KEY_SCOPE`
 */
export function permitBucket(permit: Permit): PermittedBucket {
  const { bucket, scopes } = permit;
  if (scopes === undefined || scopes.some(({ prefix }) => prefix !== undefined)) throw outside("prefix");
  expectAllowed(permit, { bucket, key: undefined });
  return bucket as PermittedBucket;
}

/**
 * Permits a call that tells of a bucket only that it is there, as every refusal of an object in it does.
 *
 * @throws {DaypassError} `KEY_SCOPE` where a session policy does not allow it
 */
export function permitBucketName(permit: Permit): PermittedBucket {
  const { bucket } = permit;
  expectAllowed(permit, { bucket, key: undefined });
  return bucket as PermittedBucket;
}

/**
 * Permits a call on all keys that begin with a prefix. That of the key's scope is on whole segments, so the prefix has to go at
 * least to the end of the last one.
 *
 * @throws {DaypassError} `KEY_SCOPE`
 */
export function permitPrefix({ bucket, scopes, action }: Permit, prefix: string): PermittedPrefix {
  const covers = (scope: ReadScope): boolean =>
    scope.prefix === undefined || (isBelow(scope.prefix, prefix) && (prefix !== scope.prefix || /^$|\/$/.test(prefix)));
  if (scopes === undefined || !scopes.every(covers)) throw outside("prefix");
  // At Amazon the bucket is what is listed. To allow no more than the keys below a prefix takes a condition there.
  const isListed = (resource: string): boolean =>
    matches(resource, { bucket, key: undefined }) ||
    (resource.endsWith("*") && matches(resource, { bucket, key: prefix }));
  for (const scope of scopes) if (!isAllowed(scope, action, isListed)) throw outside("policy");
  return { bucket, prefix } as PermittedPrefix;
}

/**
 * Permits the call that lists buckets.
 *
 * @throws {DaypassError} `KEY_SCOPE` where a session policy does not allow it
 */
export function permitBuckets(permit: Permit): PermittedBuckets {
  const { scopes } = permit;
  expectAllowed(permit, { bucket: "", key: undefined });
  const includes = (bucket: string): boolean =>
    scopes?.every(({ buckets }) => buckets === undefined || buckets.includes(bucket)) === true;
  return { includes } as PermittedBuckets;
}

/**
 * Permits one more object under the same key, as if the key had signed for it with this method and asked for this action: the source
 * of a copy, a line of a batch, the tags of an upload.
 *
 * @throws {DaypassError} `KEY_SCOPE`
 * @throws {Refusal} `KEY_TOO_LONG`
 */
export function permitObject(
  { scopes }: Permit,
  ref: ObjectRef,
  { method, action }: { readonly method: string; readonly action: string },
): PermittedObject {
  // A dialect that has no such requests has no right to any.
  if (scopes === undefined) throw outside("buckets");
  checkKeyLength(ref.key);
  for (const scope of scopes) checkReach(scope, ref, method);
  expectAllowed({ scopes, action }, ref);
  return ref as PermittedObject;
}

function scoped(authenticated: Authenticated, found: FoundScopes, now: number): Permit {
  if (found === undefined) {
    throw new DaypassError("UNKNOWN_KEY", "expected a key that is still configured, found one that was just removed");
  }
  const scopes = isList(found) ? found : [found];
  const permission = permit(authenticated, { scopes, now });
  // Where several keys share an id, all of them have to allow it: nobody can say here which one signed.
  for (const scope of scopes) checkScope(scope, authenticated, now);
  return permission;
}

function permit(
  { protocol, grant }: Authenticated,
  { scopes, now }: { readonly scopes: readonly ReadScope[] | undefined; readonly now: number },
): Permit {
  const { bucket, key } = protocol.resource(grant);
  if (key !== undefined) checkKeyLength(key);
  const object = key === undefined ? undefined : { bucket, key };
  return { grant, bucket, object, scopes, action: undefined, at: now } as Permit;
}

function checkKeyLength(key: string): void {
  // A UTF-16 unit takes at most three bytes of UTF-8.
  if (key.length * 3 <= MAX_KEY_BYTES) return;
  const size = new TextEncoder().encode(key).length;
  if (size > MAX_KEY_BYTES) {
    throw new Refusal("KEY_TOO_LONG", `expected a key of at most ${MAX_KEY_BYTES} bytes, found ${size}: shorten it`, {
      size,
      limit: MAX_KEY_BYTES,
    });
  }
}

function checkScope(scope: ReadScope, { protocol, grant, received }: Authenticated, now: number): void {
  const { buckets, prefix, methods, maxLife, until } = scope;
  // What a session policy allows, `permitAction` looks at.
  if (
    buckets === undefined &&
    prefix === undefined &&
    methods === undefined &&
    maxLife === undefined &&
    until === undefined
  )
    return;
  checkReach(scope, protocol.resource(grant), received.request.method);
  if (maxLife !== undefined && !(protocol.life(grant, now) <= maxLife)) throw outside("maxLife");
  if (until !== undefined && !(now < until.getTime())) throw outside("until");
}

// What names no bucket, or no key, is permitted in part: the brand that an operation asks for is made by a function above.
function checkReach(scope: ReadScope, resource: Resource, method: string): void {
  const rule = scopeBreach(scope, resource, method);
  if (rule !== undefined) throw outside(rule);
}

function expectAllowed({ scopes, action }: Pick<Permit, "scopes" | "action">, resource: Resource): void {
  for (const scope of scopes ?? []) {
    if (!isAllowed(scope, action, (pattern) => matches(pattern, resource))) throw outside("policy");
  }
}

/** Whether one statement has both. What nobody has named is not allowed. */
function isAllowed({ allow }: ReadScope, action: string | undefined, isMeant: (resource: string) => boolean): boolean {
  return (
    allow === undefined ||
    (action !== undefined &&
      allow.some(
        ({ actions, resources }) =>
          // Amazon compares actions without regard to case.
          actions.some((pattern) => beginsOrIs(pattern.toLowerCase(), action.toLowerCase())) && resources.some(isMeant),
      ))
  );
}

function matches(pattern: string, { bucket, key }: Resource): boolean {
  if (pattern === "*") return true;
  return key === undefined ? pattern === bucket : !DOT_SEGMENT.test(key) && beginsOrIs(pattern, `${bucket}/${key}`);
}

function beginsOrIs(pattern: string, text: string): boolean {
  return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

function outside(rule: string): DaypassError {
  return new DaypassError("KEY_SCOPE", `expected a grant within the key's scope, found one outside its ${rule}`, {
    details: { rule },
  });
}

function isList(scopes: ReadScope | readonly ReadScope[]): scopes is readonly ReadScope[] {
  return Array.isArray(scopes);
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | undefined)?.then === "function";
}
