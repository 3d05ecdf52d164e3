/**
 * The brands of a request on its way to storage. An operation accepts only permitted resources, `authorize` only an authenticated request:
 * a forgotten check is a type error.
 * @module
 */
import type { Grant } from "daypass";
import type { FoundScopes, ReadScope } from "./pipeline/key-scope.ts";
import type { Received } from "./pipeline/receive.ts";
import type { Resource } from "./pipeline/scope-match.ts";
import type { ObjectRef } from "./storage/contract/storage.ts";

declare const authenticated: unique symbol;
declare const permitted: unique symbol;

/** What `authorize` asks a dialect about one of its grants. */
export interface GrantPolicy<G extends Grant = Grant> {
  /** The object or bucket of the grant. */
  resource(grant: G): Resource;
  /** Scopes of the key that signed. All of them apply. Absent if the verifier applies the scopes itself. */
  scopes?(grant: G): FoundScopes | Promise<FoundScopes>;
  /** The method that the scopes must allow; by default the method of the request. */
  method?(grant: G): string;
  /** When the request or its URL was signed, in milliseconds; `undefined` for a signature without a date. Absent if no signature of the dialect has one. */
  signedAt?(grant: G): number | undefined;
  /** The lifetime of the URL in seconds, as far as the dialect signs one; 0 for a request that is not a URL to pass on. */
  life(grant: G, now: number): number;
}

/** Returns the revoked prefix that contains `bucket/key`, or everything below `bucket/prefix`; `undefined` if there is none. */
export type FindRevoked = (resource: string) => string | undefined;

/** A request with the grant that its signature proved. Only `authenticator` creates one. */
export interface Authenticated<P extends GrantPolicy = GrantPolicy> {
  readonly [authenticated]: true;
  readonly received: Received;
  readonly protocol: P;
  readonly grant: Grant;
  readonly body: AsyncIterable<Uint8Array>;
}

/** A grant that the policy permits. Only `authorize` creates one. */
export interface Permit<G extends Grant = Grant> {
  readonly [permitted]: true;
  readonly grant: G;
  /** Empty for a call without a bucket. A call on a bucket needs a further permit, from `permitBucket` or `permitPrefix`. */
  readonly bucket: string;
  /** `undefined` for a call on the bucket itself. */
  readonly object: PermittedObject | undefined;
  /** The beginning of the keys of a link to a folder; `undefined` for any other grant. */
  readonly prefix: string | undefined;
  /** The targets of a link to a set; `undefined` for any other grant. */
  readonly parts: readonly string[] | undefined;
  /** The scopes of the key; `undefined` in a dialect whose signature names every resource that the request can touch. */
  readonly scopes: readonly ReadScope[] | undefined;
  /** The action in the terms of session policies, if a scope has such a policy: see `permitAction`. */
  readonly action: string | undefined;
  /** For further resources of the request; `undefined` in a gateway without links. */
  readonly findRevoked: FindRevoked | undefined;
  /** When the grant was signed, in milliseconds; `undefined` if it names no date. */
  readonly signedAt: number | undefined;
  /** When the policy was applied, in milliseconds. */
  readonly at: number;
}

/** A permitted object. Operations accept no other. */
export interface PermittedObject extends ObjectRef {
  readonly [permitted]: true;
}

/** The name of a permitted bucket, for calls on the bucket. */
export type PermittedBucket = string & { readonly [permitted]: true };

/** The keys of a bucket that begin with a prefix. All of them are permitted, except those that were revoked. */
export interface PermittedPrefix {
  readonly [permitted]: true;
  readonly bucket: string;
  readonly prefix: string;
  /** The beginning of the keys that the same revocation refuses as this key, or as all keys below this prefix. */
  revokedAt(text: string): string | undefined;
}

/** A target of a set. Its revocation takes only itself away, so the operation asks before it reads the target. */
export type PermittedTarget = { isRevoked(): boolean } & (
  | { readonly object: PermittedObject; readonly keys?: undefined }
  | { readonly object?: undefined; readonly keys: PermittedPrefix }
);

/** The permitted buckets, for the call that lists buckets. */
export interface PermittedBuckets {
  readonly [permitted]: true;
  includes(bucket: string): boolean;
}
