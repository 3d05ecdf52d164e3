import { type Clock, DaypassError, type KeyResolver, type ObligationKind, type Verifier } from "daypass";
import { type S3Grant, s3Verifier } from "daypass/s3";
import { s3HeaderVerifier } from "daypass/s3/header";
import { s3V2Verifier } from "daypass/s3/v2";
import { s3V2HeaderVerifier } from "daypass/s3/v2/header";
import { s3V4aVerifier } from "daypass/s3/v4a";
import type { CreateHash } from "../../http/checksum.ts";
import { type ReadScope, readScope } from "../../pipeline/key-scope.ts";
import type { Limits } from "../../pipeline/limits.ts";
import type { Session, Sessions } from "../../pipeline/sessions.ts";
import { responseOverrides } from "../object-headers.ts";
import type { Protocol } from "../protocol.ts";
import { type FoundKeys, findKeys, listFound, type S3AccessKey, scopesFound, scopesOf } from "./access-key.ts";
import { s3FormBody } from "./form.ts";
import { withMetadataText } from "./metadata-text.ts";
import { refuseS3 } from "./refuse.ts";
import { type SessionsOfGrants, withSessions } from "./session-verifier.ts";
import { isStsRequest } from "./sts-request.ts";
import { s3Task } from "./task.ts";

export interface S3ProtocolOptions {
  readonly keys: KeyResolver<S3AccessKey>;
  readonly origins: readonly string[];
  /** The region that answers name. */
  readonly region: string;
  /** Regions that a signature may be made for. */
  readonly regions: readonly string[] | undefined;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly createHash: CreateHash;
  /** Origins that a form upload may send the browser to. */
  readonly redirectOrigins: readonly string[];
  /** Credentials for a while; without it none are issued, and none are known. */
  readonly sessions: Sessions | undefined;
  /** Show a caller whose signature does not match the texts that the gateway signed: the caller's own bytes. */
  readonly debugFields: boolean;
}

/** Each is enforced by `operations/` and by the storage; `uses` is not among them, it needs state. */
const ENFORCED: readonly ObligationKind[] = ["body-sha256", "body-chunks", "body-checksum", "create-only", "response"];

// The AWS SDK 2 for JavaScript repeats in its SigV2 URLs the headers that an upload is to have. Nothing reads them there, as at Amazon.
const REPEATED_HEADERS = ["Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language"];

/** The S3 dialect: SigV4, SigV4A and SigV2 in the query, SigV4 and SigV2 in the header. */
export function s3Protocol(options: S3ProtocolOptions): Protocol<S3Grant> {
  const { keys, origins, regions, region, limits, clock, createHash, sessions, redirectOrigins } = options;
  const common = { origins, clock, enforces: ENFORCED };
  const found: SessionsOfGrants = new WeakMap();
  const form = <G extends S3Grant>(make: (credentials: KeyResolver<S3AccessKey>) => Verifier<G>): Verifier<G> =>
    withMetadataText(withSessions(make, { keys, sessions, found }));
  const header = form((credentials) => s3HeaderVerifier({ ...common, credentials, regions }));
  const refuse = refuseS3(options);
  /** What its key may do holds as well, as it is now: a session ends when its key is taken back, or has another secret. */
  const inherited = (session: Session, parents: FoundKeys): readonly ReadScope[] | undefined => {
    const scopes = scopesFound(parents);
    if (scopes === undefined) return undefined;
    if (listFound(parents).some(({ secretAccessKey }) => sessions?.isBound(session, secretAccessKey) === true)) {
      return [scopes, readScope(session.scope)].flat();
    }
    throw new DaypassError("INVALID_TOKEN", "expected a session of the key's present secret, found one of an earlier");
  };
  const taskOptions = { limits, createHash, origins, region, redirectOrigins };
  return {
    dialect: "s3",
    verifiers: [
      form((credentials) => s3Verifier({ ...common, credentials, regions })),
      // The Security Token Service has a protocol of its own.
      sessions === undefined
        ? header
        : { ...header, detects: (request) => header.detects(request) && !isStsRequest(request) },
      form((credentials) => s3V2Verifier({ ...common, credentials, allowUnsigned: REPEATED_HEADERS })),
      form((credentials) => s3V2HeaderVerifier({ ...common, credentials })),
      form((credentials) => s3V4aVerifier({ ...common, credentials, regions })),
    ],
    bodyVerifiers: [s3FormBody({ keys, sessions, found, origins, regions, clock })],
    resource: (grant) => grant,
    parentKeyId: (grant) => found.get(grant)?.parent,
    scopes(grant) {
      const session = found.get(grant);
      if (session === undefined) return scopesOf(keys, grant.keyId);
      const parents = findKeys(keys, session.parent);
      return parents instanceof Promise ? parents.then((now) => inherited(session, now)) : inherited(session, parents);
    },
    life: ({ scheme, expiresAt, notBefore }, now) =>
      // A SigV2 URL or form tells only its end; a request signed in its header is no URL.
      scheme.endsWith("/header")
        ? 0
        : (expiresAt.getTime() - Math.max(notBefore.getTime(), scheme.endsWith("/v2") ? now : 0)) / 1000,
    task(permit, received, body) {
      responseOverrides(permit.grant);
      return s3Task(permit, received, { body, options: taskOptions });
    },
    refuse,
  };
}
