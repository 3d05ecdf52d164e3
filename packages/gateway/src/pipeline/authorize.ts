import { DaypassError, type Grant } from "daypass";
import type {
  Authenticated,
  FindRevoked,
  Permit,
  PermittedBucket,
  PermittedBuckets,
  PermittedObject,
  PermittedPrefix,
  PermittedTarget,
} from "../permit.ts";
import type { ObjectRef } from "../storage/contract/storage.ts";
import type { FoundScopes, ReadScope } from "./key-scope.ts";
import { Refusal } from "./refusal.ts";
import { expectInForce } from "./revocation.ts";
import { DOT_SEGMENT, isBelow, type Resource, scopeBreach } from "./scope-match.ts";

// "The name for a key is a sequence of Unicode characters whose UTF-8 encoding is at most 1,024 bytes long."
const MAX_KEY_BYTES = 1024;

/**
 * Checks a grant against the current scope of its key: a key that was narrowed or revoked after signing refuses its older URLs
 * (CVE-2026-35604). `expectNotRevoked` checks the grant itself. The permit passes the revoked prefixes to the functions below.
 *
 * @throws {DaypassError} `KEY_SCOPE`, `UNKNOWN_KEY`
 * @throws {Refusal} `KEY_TOO_LONG`
 */
export function authorize(authenticated: Authenticated, policy: Policy): Permit | Promise<Permit> {
  const { protocol, grant } = authenticated;
  if (protocol.scopes === undefined) return permit(authenticated, undefined, policy);
  const found = protocol.scopes(grant);
  return isPromise(found)
    ? found.then((scopes) => scoped(authenticated, scopes, policy))
    : scoped(authenticated, found, policy);
}

/** What applies to every request. */
interface Policy {
  readonly findRevoked: FindRevoked | undefined;
  /** Milliseconds. */
  readonly now: number;
}

/**
 * Checks the action of a request against the session policies of its scopes. The action is known only when the protocol has read the request,
 * so the protocol calls this; the functions below refuse requests without an action.
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
 * Permits a call on a bucket as a whole. A key with a prefix, even an empty one, is for objects only.
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
 * Permits a call that reveals only the existence of a bucket, as every refusal of an object in it does.
 *
 * @throws {DaypassError} `KEY_SCOPE` if a session policy does not allow it
 */
export function permitBucketName(permit: Permit): PermittedBucket {
  const { bucket } = permit;
  expectAllowed(permit, { bucket, key: undefined });
  return bucket as PermittedBucket;
}

/**
 * Permits a call on all keys that begin with a prefix. The prefix of a scope covers whole segments, so the prefix must reach at least to
 * the end of the scope's last segment.
 *
 * @throws {DaypassError} `KEY_SCOPE`
 * @throws {Refusal} `REVOKED` if all these keys were revoked; revoked keys among them are for the operation to leave out
 */
export function permitPrefix(permit: Permit, prefix: string): PermittedPrefix {
  const keys = coveredPrefix(permit, prefix);
  expectInForce(permit, permit.bucket, prefix);
  return keys;
}

/**
 * Permits the targets of a set: objects, and prefixes, which end with `/` or are empty. The scopes must cover all. A revoked target is for the
 * operation to leave out.
 *
 * @throws {DaypassError} `KEY_SCOPE`
 * @throws {Refusal} `KEY_TOO_LONG`
 */
export function permitTargets(permit: Permit, targets: readonly string[]): readonly PermittedTarget[] {
  const { bucket, scopes, findRevoked, action } = permit;
  if (scopes === undefined) throw outside("buckets");
  return targets.map((key): PermittedTarget => {
    const isRevoked = (): boolean => findRevoked?.(`${bucket}/${key}`) !== undefined;
    if (/^$|\/$/.test(key)) return { keys: coveredPrefix(permit, key), isRevoked };
    const ref = { bucket, key };
    checkKeyLength(key);
    for (const scope of scopes) checkReach(scope, ref, "GET");
    expectAllowed({ scopes, action }, ref);
    return { object: ref as PermittedObject, isRevoked };
  });
}

function coveredPrefix(permit: Permit, prefix: string): PermittedPrefix {
  const { bucket, scopes, action, findRevoked } = permit;
  const covers = (scope: ReadScope): boolean =>
    scope.prefix === undefined || (isBelow(scope.prefix, prefix) && (prefix !== scope.prefix || /^$|\/$/.test(prefix)));
  if (scopes === undefined || !scopes.every(covers)) throw outside("prefix");
  // Amazon's policies name the bucket for a listing, and restrict it to a prefix by a condition only.
  const isListed = (resource: string): boolean =>
    matches(resource, { bucket, key: undefined }) ||
    (resource.endsWith("*") && matches(resource, { bucket, key: prefix }));
  for (const scope of scopes) if (!isAllowed(scope, action, isListed)) throw outside("policy");
  const revokedAt = (text: string): string | undefined => findRevoked?.(`${bucket}/${text}`)?.slice(bucket.length + 1);
  return { bucket, prefix, revokedAt } as PermittedPrefix;
}

/**
 * Permits the call that lists buckets.
 *
 * @throws {DaypassError} `KEY_SCOPE` if a session policy does not allow it
 */
export function permitBuckets(permit: Permit): PermittedBuckets {
  const { scopes, findRevoked } = permit;
  expectAllowed(permit, { bucket: "", key: undefined });
  const includes = (bucket: string): boolean =>
    scopes?.every(({ buckets }) => buckets === undefined || buckets.includes(bucket)) === true &&
    findRevoked?.(`${bucket}/`) === undefined;
  return { includes } as PermittedBuckets;
}

/**
 * Permits another object under the same key, as if the key had signed a request for it with this method and action: the source of a copy, a
 * line of a batch, the tags of an upload.
 *
 * @throws {DaypassError} `KEY_SCOPE`
 * @throws {Refusal} `KEY_TOO_LONG`, `REVOKED`
 */
export function permitObject(
  permit: Permit,
  ref: ObjectRef,
  { method, action }: { readonly method: string; readonly action: string },
): PermittedObject {
  const { scopes } = permit;
  // A dialect without such requests permits none.
  if (scopes === undefined) throw outside("buckets");
  checkKeyLength(ref.key);
  for (const scope of scopes) checkReach(scope, ref, method);
  expectAllowed({ scopes, action }, ref);
  expectInForce(permit, ref.bucket, ref.key);
  return ref as PermittedObject;
}

function scoped(authenticated: Authenticated, found: FoundScopes, policy: Policy): Permit {
  if (found === undefined) {
    throw new DaypassError("UNKNOWN_KEY", "the key was removed during the request. Sign with another key");
  }
  const scopes = isList(found) ? found : [found];
  const permission = permit(authenticated, scopes, policy);
  // If several keys share an id, all must allow the request: which one signed is unknown here.
  for (const scope of scopes) checkScope(scope, authenticated, policy.now);
  return permission;
}

function permit(
  { protocol, grant }: Authenticated,
  scopes: readonly ReadScope[] | undefined,
  { findRevoked, now }: Policy,
): Permit {
  const { bucket, key, prefix, parts } = protocol.resource(grant);
  if (key !== undefined) checkKeyLength(key);
  const object = key === undefined ? undefined : { bucket, key };
  const signedAt = protocol.signedAt?.(grant);
  return { grant, bucket, object, prefix, parts, scopes, action: undefined, findRevoked, signedAt, at: now } as Permit;
}

function checkKeyLength(key: string): void {
  // A UTF-16 unit takes at most three bytes of UTF-8.
  if (key.length * 3 <= MAX_KEY_BYTES) return;
  const size = new TextEncoder().encode(key).length;
  if (size > MAX_KEY_BYTES) {
    throw new Refusal("KEY_TOO_LONG", `the key has ${size} bytes. Send at most ${MAX_KEY_BYTES}`, {
      size,
      limit: MAX_KEY_BYTES,
    });
  }
}

function checkScope(scope: ReadScope, { protocol, grant, received }: Authenticated, now: number): void {
  const { buckets, prefix, methods, maxLife, until } = scope;
  // `permitAction` checks the session policy.
  if (
    buckets === undefined &&
    prefix === undefined &&
    methods === undefined &&
    maxLife === undefined &&
    until === undefined
  )
    return;
  checkReach(scope, protocol.resource(grant), protocol.method?.(grant) ?? received.request.method);
  if (maxLife !== undefined && !(protocol.life(grant, now) <= maxLife)) throw outside("maxLife");
  if (until !== undefined && !(now < until.getTime())) throw outside("until");
}

// A request without a bucket or a key is only partly permitted: the operation needs a brand of a function above.
function checkReach(scope: ReadScope, resource: Resource, method: string): void {
  const rule = scopeBreach(scope, resource, method);
  if (rule !== undefined) throw outside(rule);
}

function expectAllowed({ scopes, action }: Pick<Permit, "scopes" | "action">, resource: Resource): void {
  for (const scope of scopes ?? []) {
    if (!isAllowed(scope, action, (pattern) => matches(pattern, resource))) throw outside("policy");
  }
}

/** Whether a statement contains both the action and the resource. Anything else is not allowed. */
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
  const message = `the scope of the key does not allow this (${rule}). Sign within it, or change the scope`;
  return new DaypassError("KEY_SCOPE", message, { details: { rule } });
}

function isList(scopes: ReadScope | readonly ReadScope[]): scopes is readonly ReadScope[] {
  return Array.isArray(scopes);
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | undefined)?.then === "function";
}
