/**
 * The part of AWS's Security Token Service that makes credentials for a while: `AssumeRole` and `GetSessionToken`, as every
 * AWS SDK calls them at `endpoint_url_sts`.
 * @module
 */
import type { Clock, KeyResolver, Verifier, WireRequest } from "daypass";
import { type S3HeaderGrant, s3HeaderVerifier } from "daypass/s3/header";
import type { CreateHash } from "../../http/checksum.ts";
import type { IssuedSession } from "../../operations/issue-session.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Sessions } from "../../pipeline/sessions.ts";
import type { Protocol, Task } from "../protocol.ts";
import type { S3AccessKey } from "../s3/index.ts";
import { scopesOf } from "../s3/index.ts";
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

/** Tells by the scope of its signature whether a request is for the Security Token Service. */
export function isStsRequest({ headers }: WireRequest): boolean {
  return headers.some(([name, value]) => name.toLowerCase() === "authorization" && value.includes("/sts/aws4_request"));
}

const HOUR = 3600;
const LIFE = {
  minimum: 900,
  AssumeRole: { usual: HOUR, most: 12 * HOUR },
  GetSessionToken: { usual: 12 * HOUR, most: 36 * HOUR },
};

/** The dialect of session credentials. They are for S3 alone, and no session makes another. */
export function stsProtocol({
  keys,
  origins,
  regions,
  clock,
  sessions,
  createHash,
}: StsProtocolOptions): Protocol<S3HeaderGrant> {
  const verifier: Verifier<S3HeaderGrant> = s3HeaderVerifier({
    credentials: keys,
    origins,
    regions,
    clock,
    service: "sts",
    enforces: ["body-sha256"],
  });
  return {
    dialect: "s3",
    verifiers: [],
    bodyVerifiers: [
      {
        detects: isStsRequest,
        async verify(request, body) {
          const hashed = await hashBody(request, body, createHash);
          return { grant: await verifier.verify(hashed.request), body: hashed.body };
        },
      },
    ],
    resource: () => ({ bucket: "", key: undefined }),
    scopes: ({ keyId }) => scopesOf(keys, keyId),
    life: () => 0,
    async task({ grant, scopes = [], at }, received, body): Promise<Task<S3HeaderGrant>> {
      const call = await readCall(received, body);
      const until = Math.min(...scopes.map((scope) => scope.until?.getTime() ?? Number.POSITIVE_INFINITY));
      const expiration = new Date(Math.min(at + lifeOf(call) * 1000, until));
      return {
        request: { operation: "issue-session", sessions, parent: grant.keyId, scope: call.scope, expiration },
        present: (result, _, exchange) => presentSession(result as IssuedSession, call, exchange),
      };
    },
    refuse: refuseSts,
  };
}

function lifeOf({ action, seconds }: CallFields): number {
  const { usual, most } = LIFE[action];
  if (seconds === undefined) return usual;
  if (seconds >= LIFE.minimum && seconds <= most) return seconds;
  throw new Refusal("INVALID_PARAMETER", `expected DurationSeconds from ${LIFE.minimum} to ${most}, found ${seconds}`, {
    parameter: "DurationSeconds",
  });
}
