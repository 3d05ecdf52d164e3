/**
 * The verifiers of S3 with the gateway's keys: access keys, sessions and their scopes.
 * @module
 */
import {
  DaypassError,
  type Grant,
  type ImmediateVerifier,
  isDaypassError,
  type KeyResolver,
  type Proof,
  type WireRequest,
} from "daypass";
import type { S3Credentials, S3Grant } from "daypass/s3";
import { utf8OfHeader } from "../../http/metadata.ts";
import { type FoundScopes, type KeyScope, type ReadScope, readScope } from "../../pipeline/key-scope.ts";
import type { Session, Sessions } from "../../pipeline/sessions.ts";

/** An access key with the limits that the operator set for its grants. */
export interface S3AccessKey extends S3Credentials {
  readonly scope?: KeyScope | undefined;
}

/** The result of a resolver. `undefined`, `null` and an empty list mean that there is no such key. */
export type FoundKeys = S3AccessKey | readonly S3AccessKey[] | null | undefined;

const UNLIMITED: ReadScope = {};

/**
 * Returns what a resolver finds, at once or later. A database query often is not a `Promise` but has a `then`, as the library's verifiers
 * know. Used as the key itself, it would have no scope.
 */
export function findKeys(keys: KeyResolver<S3AccessKey>, id: string): FoundKeys | Promise<FoundKeys> {
  const found = keys(id);
  const { then } = (found ?? {}) as { readonly then?: unknown };
  return typeof then === "function" ? Promise.resolve(found) : (found as FoundKeys);
}

/** The scopes of the keys with this id. */
export function scopesOf(keys: KeyResolver<S3AccessKey>, id: string): FoundScopes | Promise<FoundScopes> {
  const found = findKeys(keys, id);
  return found instanceof Promise ? found.then(scopesFound) : scopesFound(found);
}

/**
 * The scopes of keys.
 *
 * @throws {DaypassError} `INVALID_KEY`; only the operator and the holder of the key see it
 */
export function scopesFound(found: FoundKeys): FoundScopes {
  if (found === undefined || found === null) return undefined;
  if (!isList(found)) return scopeOf(found);
  return found.length === 0 ? undefined : found.map(scopeOf);
}

function scopeOf(key: S3AccessKey): ReadScope {
  // The signature was verified with an earlier result. A database may now answer `false` for a deleted key, which must not be unlimited.
  if (Object(key) !== key)
    throw new DaypassError("INVALID_KEY", "keys.s3 returned no object. Return a key or undefined");
  const { scope } = key;
  return scope === undefined ? UNLIMITED : readScope(scope);
}

export function listFound(found: FoundKeys): readonly S3AccessKey[] {
  if (found === undefined || found === null) return [];
  return isList(found) ? found : [found];
}

function isList(found: S3AccessKey | readonly S3AccessKey[]): found is readonly S3AccessKey[] {
  return Array.isArray(found);
}

/** Whether the scope of the signature names the Security Token Service, which has its own protocol. */
export function isStsRequest({ headers }: WireRequest): boolean {
  return headers.some(([name, value]) => name.toLowerCase() === "authorization" && value.includes("/sts/aws4_request"));
}

const MAX_VERIFIERS = 256;

/** The session behind a grant. {@link withSessions} fills the map after a signature has matched. */
export type SessionsOfGrants = WeakMap<Grant, Session>;

export interface SessionOptions {
  readonly keys: KeyResolver<S3AccessKey>;
  readonly sessions: Sessions | undefined;
  readonly found: SessionsOfGrants;
}

/**
 * Returns a verifier that also accepts the credentials of sessions. The token names its secret, and the gateway's own MAC proves
 * the token; only then the signature is compared with that secret. Requests without a token are verified as before.
 *
 * @throws {DaypassError} `INVALID_TOKEN` for a token that this gateway did not issue for the key
 */
export function withSessions<G extends S3Grant>(
  make: (credentials: KeyResolver<S3AccessKey>) => ImmediateVerifier<G>,
  { keys, sessions, found }: SessionOptions,
): ImmediateVerifier<G> {
  const plain = make(keys);
  if (sessions === undefined) return plain;
  const verifiers = new Map<string, { readonly session: Session; readonly verifier: ImmediateVerifier<G> }>();

  const known = (token: string): { readonly session: Session; readonly verifier: ImmediateVerifier<G> } | undefined => {
    const before = verifiers.get(token);
    if (before !== undefined) return before;
    const session = sessions.open(token);
    if (session === undefined) return undefined;
    const entry = { session, verifier: make((id) => (id === session.accessKeyId ? session : undefined)) };
    // A client with many sessions must not fill the memory.
    if (verifiers.size >= MAX_VERIFIERS) verifiers.clear();
    verifiers.set(token, entry);
    return entry;
  };

  return {
    detects: plain.detects,
    verify(request, proof) {
      const token = sessionToken(request);
      return token === undefined ? plain.verify(request, proof) : verifyWith(token, request, proof);
    },
  };

  async function verifyWith(token: string, request: WireRequest, proof: Proof | undefined): Promise<G> {
    const entry = known(token);
    try {
      const grant = await (entry?.verifier ?? plain).verify(request, proof);
      if (entry !== undefined) found.set(grant, entry.session);
      return grant;
    } catch (error) {
      throw blamingToken(error);
    }
  }
}

/** If a request with a token names an unknown key, AWS reports the token. */
export function blamingToken(error: unknown): unknown {
  if (!isDaypassError(error) || error.code !== "UNKNOWN_KEY") return error;
  const message = "the session token does not belong to the access key. Use both as they were issued together";
  return new DaypassError("INVALID_TOKEN", message, { cause: error });
}

const TOKEN_IN_QUERY = /[?&]x-amz-security-token=([^&]*)/i;

/** The token before verification. The verifier compares it with the token that was signed. */
function sessionToken({ target, headers }: WireRequest): string | undefined {
  const header = headers.find(([name]) => name.toLowerCase() === "x-amz-security-token")?.[1];
  // Not decoded: the gateway's own tokens need no escapes.
  return header ?? TOKEN_IN_QUERY.exec(target)?.[1];
}

/**
 * Returns a verifier for clients that send metadata as raw UTF-8 (aws-sdk-go, minio-go, rclone, curl). They sign these bytes, but an HTTP
 * parser returns each byte as a character. Only metadata is converted, because `metadataOfHeader` reads both spellings as one text. A
 * signature must not match two values of any other header.
 */
export function withMetadataText<G extends Grant>(verifier: ImmediateVerifier<G>): ImmediateVerifier<G> {
  return { ...verifier, verify: (request, proof) => verifier.verify(withText(request), proof) };
}

function withText(request: WireRequest): WireRequest {
  if (!request.headers.some(isByteMetadata)) return request;
  return {
    ...request,
    headers: request.headers.map((header) =>
      isByteMetadata(header) ? ([header[0], utf8OfHeader(header[1])] as const) : header,
    ),
  };
}

function isByteMetadata([name, value]: readonly [string, string]): boolean {
  return name.length > 11 && name.toLowerCase().startsWith("x-amz-meta-") && /[\x80-\xff]/.test(value);
}
