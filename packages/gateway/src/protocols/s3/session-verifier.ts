import type { Grant, KeyResolver, Verifier, WireRequest } from "daypass";
import type { S3Grant } from "daypass/s3";
import type { Session, Sessions } from "../../pipeline/sessions.ts";
import type { S3AccessKey } from "./index.ts";

const MAX_VERIFIERS = 256;

/** The session behind a grant, where there is one. Filled by {@link withSessions} once a signature has matched. */
export type SessionsOfGrants = WeakMap<Grant, Session>;

/**
 * A verifier that also knows the credentials of sessions. The token says for which secret it was issued, and the gateway's own
 * MAC says that it was: only then is the signature held against that secret. Without a token nothing is different.
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
    async verify(request, proof) {
      const token = sessionToken(request);
      const entry = token === undefined ? undefined : known(token);
      if (entry === undefined) return plain.verify(request, proof);
      const grant = await entry.verifier.verify(request, proof);
      found.set(grant, entry.session);
      return grant;
    },
  };
}

const IN_QUERY = /[?&]x-amz-security-token=([^&]*)/i;

/** Names no authority: what it gives is compared with the token that was signed. */
function sessionToken({ target, headers }: WireRequest): string | undefined {
  const header = headers.find(([name]) => name.toLowerCase() === "x-amz-security-token")?.[1];
  if (header !== undefined) return header;
  const text = IN_QUERY.exec(target)?.[1];
  // A token of ours needs no escapes.
  return text === undefined || text.includes("%") ? undefined : text;
}
