/**
 * The part of AWS's Security Token Service that issues temporary credentials: `AssumeRole` and `GetSessionToken`, as every
 * AWS SDK calls them at `endpoint_url_sts`.
 * @module
 */
import { type Clock, DaypassError, type Grant, type KeyResolver, type Verifier, type WireRequest } from "daypass";
import { type S3HeaderGrant, s3HeaderVerifier } from "daypass/s3/header";
import type { CreateHash } from "../../http/checksum.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Sessions } from "../../pipeline/sessions.ts";
import type { Protocol, Task } from "../protocol.ts";
import { isStsRequest, listFound, type S3AccessKey, scopesOf } from "../s3/verifiers.ts";
import { type CallFields, readCall } from "./call.ts";
import { hashBody } from "./hash-body.ts";
import { presentSession, refuseSts } from "./present.ts";

export interface StsProtocolOptions {
  readonly keys: KeyResolver<S3AccessKey>;
  readonly origins: readonly string[];
  readonly regions: readonly string[] | undefined;
  readonly clock: Clock;
  readonly sessions: Sessions;
  readonly createHash: CreateHash;
}

const HOUR = 3600;
/** Lifetimes in seconds. */
const LIFETIME = {
  minimum: 900,
  AssumeRole: { usual: HOUR, most: 12 * HOUR },
  GetSessionToken: { usual: 12 * HOUR, most: 36 * HOUR },
};

/** The dialect of session credentials. They work for S3 alone, and no session can request another. */
export function stsProtocol({
  keys,
  origins,
  regions,
  clock,
  sessions,
  createHash,
}: StsProtocolOptions): Protocol<S3HeaderGrant> {
  const verifierOf = (credentials: KeyResolver<S3AccessKey>): Verifier<S3HeaderGrant> =>
    s3HeaderVerifier({ credentials, origins, regions, clock, service: "sts", enforces: ["body-sha256"] });
  const verifier = verifierOf(keys);
  const parents = new WeakMap<Grant, S3AccessKey>();
  /** Several keys may share an id. A session is bound to the secret that signed, and must not outlive that secret. */
  const signerOf = async ({ keyId }: Grant, request: WireRequest): Promise<S3AccessKey> => {
    for (const key of listFound(await keys(keyId))) {
      const isSigner = await verifierOf(() => key)
        .verify(request)
        .then(
          () => true,
          () => false,
        );
      if (isSigner) return key;
    }
    throw new DaypassError("UNKNOWN_KEY", "the key was removed during the request. Sign with another key");
  };
  return {
    dialect: "s3",
    verifiers: [],
    bodyVerifiers: [
      {
        detects: isStsRequest,
        async verify(request, body) {
          const hashed = await hashBody(request, body, createHash);
          const grant = await verifier.verify(hashed.request);
          parents.set(grant, await signerOf(grant, hashed.request));
          return { grant, body: hashed.body };
        },
      },
    ],
    resource: () => ({ bucket: "", key: undefined }),
    scopes: ({ keyId }) => scopesOf(keys, keyId),
    life: () => 0,
    async task({ grant, scopes = [], at }, received, body): Promise<Task> {
      const parent = parents.get(grant);
      if (parent === undefined) throw new TypeError("a session was asked for by a grant of another protocol");
      const call = await readCall(received, body);
      const until = Math.min(...scopes.map((scope) => scope.until?.getTime() ?? Number.POSITIVE_INFINITY));
      const expiration = new Date(Math.min(at + lifetimeOf(call) * 1000, until));
      return {
        request: undefined,
        present(_, exchange) {
          const session = sessions.issue({ parent, scope: call.scope, expiration });
          return presentSession(session, call, exchange);
        },
      };
    },
    refuse: refuseSts,
  };
}

function lifetimeOf({ action, seconds }: CallFields): number {
  const { usual, most } = LIFETIME[action];
  if (seconds === undefined) return usual;
  if (seconds >= LIFETIME.minimum && seconds <= most) return seconds;
  throw new Refusal("INVALID_PARAMETER", `DurationSeconds is ${seconds}. Send ${LIFETIME.minimum} to ${most}`, {
    parameter: "DurationSeconds",
  });
}
