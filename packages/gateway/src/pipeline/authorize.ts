import { DaypassError, type Grant } from "daypass";
import type { KeyScope, Protocol, Resource } from "../protocols/protocol.ts";
import type { ObjectRef } from "../storage/storage.ts";
import type { Authenticated } from "./authenticate.ts";
import { Refusal } from "./refusal.ts";

declare const permitted: unique symbol;

/** An object that a permit covers. No operation takes any other. */
export interface PermittedObject extends ObjectRef {
  readonly [permitted]: true;
}

/** A grant that policy lets through. Only {@link authorize} makes one, so serving without it does not compile. */
export interface Permit<G extends Grant = Grant> {
  readonly [permitted]: true;
  readonly grant: G;
  readonly protocol: Protocol<G>;
  readonly bucket: string;
  /** `undefined` for a call on the bucket itself. */
  readonly object: PermittedObject | undefined;
  /** When policy was applied, milliseconds. */
  readonly at: number;
}

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
  if (protocol.scopes === undefined) return permit(authenticated, now);
  const found = protocol.scopes(grant.keyId);
  return isPromise(found)
    ? found.then((scopes) => scoped(authenticated, scopes, now))
    : scoped(authenticated, found, now);
}

function scoped(authenticated: Authenticated, scopes: KeyScope | readonly KeyScope[] | undefined, now: number): Permit {
  if (scopes === undefined) {
    throw new DaypassError(
      "UNKNOWN_KEY",
      "expected a key that is still configured, found one that was just taken back",
    );
  }
  const permission = permit(authenticated, now);
  // Where several keys share an id, all of them have to allow it: nobody can say here which one signed.
  for (const scope of isList(scopes) ? scopes : [scopes]) checkScope(scope, authenticated, now);
  return permission;
}

function permit({ protocol, grant }: Authenticated, at: number): Permit {
  const { bucket, key } = protocol.resource(grant);
  // A UTF-16 unit takes at most three bytes of UTF-8.
  if (key !== undefined && key.length * 3 > MAX_KEY_BYTES) {
    const size = new TextEncoder().encode(key).length;
    if (size > MAX_KEY_BYTES) {
      throw new Refusal("KEY_TOO_LONG", `expected a key of at most ${MAX_KEY_BYTES} bytes, found ${size}: shorten it`, {
        size,
        limit: MAX_KEY_BYTES,
      });
    }
  }
  return { grant, protocol, bucket, object: key === undefined ? undefined : { bucket, key }, at } as Permit;
}

function checkScope(scope: KeyScope, { protocol, grant, received }: Authenticated, now: number): void {
  const { buckets, prefix, methods, maxLife, until } = scope;
  if (
    buckets === undefined &&
    prefix === undefined &&
    methods === undefined &&
    maxLife === undefined &&
    until === undefined
  )
    return;
  const resource = protocol.resource(grant);
  const { method } = received.request;
  if (buckets !== undefined && !buckets.includes(resource.bucket)) throw outside("bucket");
  if (prefix !== undefined && !isBelow(prefix, resource)) throw outside("prefix");
  // GET implies HEAD, as in every dialect that lists methods.
  if (methods !== undefined && !methods.includes(method) && !(method === "HEAD" && methods.includes("GET")))
    throw outside("methods");
  if (maxLife !== undefined && !(protocol.life(grant, now) <= maxLife)) throw outside("maxLife");
  if (until !== undefined && !(now < until.getTime())) throw outside("until");
}

function isBelow(prefix: string, { key }: Resource): boolean {
  if (key === undefined || !key.startsWith(prefix)) return false;
  if (!(prefix === "" || prefix.endsWith("/") || key.length === prefix.length || key.charAt(prefix.length) === "/"))
    return false;
  // A key that a backend could read as leaving the prefix again is not below it.
  return !/(?:^|\/)\.{1,2}(?:\/|$)/.test(key);
}

function outside(rule: string): DaypassError {
  return new DaypassError("KEY_SCOPE", `expected a grant within the key's scope, found one outside its ${rule}`, {
    details: { rule },
  });
}

function isList(scopes: KeyScope | readonly KeyScope[]): scopes is readonly KeyScope[] {
  return Array.isArray(scopes);
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | undefined)?.then === "function";
}
