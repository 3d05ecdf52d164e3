import {
  DaypassError,
  type Grant,
  isDaypassError,
  type KeyResolver,
  type Proof,
  type Verifier,
  type WireRequest,
} from "daypass";
import type { S3Grant } from "daypass/s3";
import type { Session, Sessions } from "../../pipeline/sessions.ts";
import type { S3AccessKey } from "./access-key.ts";

const MAX_VERIFIERS = 256;

/** The session behind a grant, where there is one. Filled by {@link withSessions} once a signature has matched. */
export type SessionsOfGrants = WeakMap<Grant, Session>;

/**
 * A verifier that also knows the credentials of sessions. The token says for which secret it was issued, and the gateway's own
 * MAC says that it was: only then is the signature held against that secret. Without a token nothing is different.
 *
 * @throws {DaypassError} `INVALID_TOKEN` for a token that nobody has issued, or not with this key
 */
export function withSessions<G extends S3Grant>(
  make: (credentials: KeyResolver<S3AccessKey>) => Verifier<G>,
  {
    keys,
    sessions,
    found,
  }: {
    readonly keys: KeyResolver<S3AccessKey>;
    readonly sessions: Sessions | undefined;
    readonly found: SessionsOfGrants;
  },
): Verifier<G> {
  const plain = make(keys);
  if (sessions === undefined) return plain;
  const verifiers = new Map<string, { readonly session: Session; readonly verifier: Verifier<G> }>();

  const known = (token: string): { readonly session: Session; readonly verifier: Verifier<G> } | undefined => {
    const before = verifiers.get(token);
    if (before !== undefined) return before;
    const session = sessions.open(token);
    if (session === undefined) return undefined;
    const entry = { session, verifier: make((id) => (id === session.accessKeyId ? session : undefined)) };
    // Whoever asks for many sessions must not fill the memory.
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

/** Where a token came with a key that nobody knows, AWS takes the token for the mistake. */
export function blamingToken(error: unknown): unknown {
  if (!isDaypassError(error) || error.code !== "UNKNOWN_KEY") return error;
  const message = "expected the session token that the key was issued with, found another: send all three parts";
  return new DaypassError("INVALID_TOKEN", message, { cause: error });
}

const IN_QUERY = /[?&]x-amz-security-token=([^&]*)/i;

/** Names no authority: what it gives is compared with the token that was signed. */
function sessionToken({ target, headers }: WireRequest): string | undefined {
  const header = headers.find(([name]) => name.toLowerCase() === "x-amz-security-token")?.[1];
  if (header !== undefined) return header;
  // Not decoded: a token of ours needs no escapes.
  return IN_QUERY.exec(target)?.[1];
}
