import {
  type Clock,
  DaypassError,
  type ImmediateVerifier,
  immediate,
  type KeyResolver,
  type ObligationKind,
  type Verifier,
} from "daypass";
import { type S3Grant, s3Verifier } from "daypass/s3";
import { s3HeaderVerifier } from "daypass/s3/header";
import { s3V2Verifier } from "daypass/s3/v2";
import { s3V2HeaderVerifier } from "daypass/s3/v2/header";
import { s3V4aVerifier } from "daypass/s3/v4a";
import { type ReadScope, readScope } from "../../pipeline/key-scope.ts";
import type { Session, Sessions } from "../../pipeline/sessions.ts";
import { responseOverrides } from "../object-headers.ts";
import type { Protocol } from "../protocol.ts";
import { s3FormBody } from "./form.ts";
import { refuseS3 } from "./refuse.ts";
import type { S3RowOptions } from "./row.ts";
import { s3Task } from "./table.ts";
import {
  type FoundKeys,
  findKeys,
  isStsRequest,
  listFound,
  type S3AccessKey,
  type SessionsOfGrants,
  scopesFound,
  scopesOf,
  withMetadataText,
  withSessions,
} from "./verifiers.ts";

export interface S3ProtocolOptions extends S3RowOptions {
  readonly keys: KeyResolver<S3AccessKey>;
  /** Regions that a signature may name. */
  readonly regions: readonly string[] | undefined;
  readonly clock: Clock;
  /** Origins that a form upload may redirect the browser to. */
  readonly redirectOrigins: readonly string[];
  /** Temporary credentials. If absent, none are issued or accepted. */
  readonly sessions: Sessions | undefined;
  /** Whether a `SignatureDoesNotMatch` repeats the texts that the gateway signed. They consist of the caller's own bytes. */
  readonly debugFields: boolean;
}

/** `operations/` and the storage enforce each of them. `uses` is not supported: counting uses needs state. */
const ENFORCED: readonly ObligationKind[] = ["body-sha256", "body-chunks", "body-checksum", "create-only", "response"];

// The AWS SDK 2 for JavaScript repeats the headers of an upload in its SigV2 URLs. Like Amazon, the gateway ignores them there.
const REPEATED_HEADERS = ["Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language"];

/** Schemes whose grants begin when they were signed. */
const SIGNS_DATE: ReadonlySet<string> = new Set(["s3", "s3/v4a", "s3/express"]);

/** The S3 dialect: SigV4, SigV4A and SigV2 in the query, SigV4 and SigV2 in the header. */
export function s3Protocol(options: S3ProtocolOptions): Protocol<S3Grant> {
  const { keys, origins, regions, clock, sessions } = options;
  const common = { origins, clock, enforces: ENFORCED };
  const found: SessionsOfGrants = new WeakMap();
  const verifier = <G extends S3Grant>(
    make: (credentials: KeyResolver<S3AccessKey>) => Verifier<G>,
  ): ImmediateVerifier<G> =>
    withMetadataText(withSessions((credentials) => immediate(make(credentials)), { keys, sessions, found }));
  const header = verifier((credentials) => s3HeaderVerifier({ ...common, credentials, regions }));
  const refuse = refuseS3(options);
  /** A session also needs the present scopes of its key. It is over when the key is removed or has another secret. */
  const inherited = (session: Session, parents: FoundKeys): readonly ReadScope[] | undefined => {
    const scopes = scopesFound(parents);
    if (scopes === undefined) return undefined;
    if (listFound(parents).some(({ secretAccessKey }) => sessions?.isBound(session, secretAccessKey) === true)) {
      return [scopes, readScope(session.scope)].flat();
    }
    throw new DaypassError("INVALID_TOKEN", "the session belongs to an earlier secret of its key. Begin a new session");
  };
  return {
    dialect: "s3",
    verifiers: [
      verifier((credentials) => s3Verifier({ ...common, credentials, regions })),
      sessions === undefined
        ? header
        : { ...header, detects: (request) => header.detects(request) && !isStsRequest(request) },
      verifier((credentials) => s3V2Verifier({ ...common, credentials, allowUnsigned: REPEATED_HEADERS })),
      verifier((credentials) => s3V2HeaderVerifier({ ...common, credentials })),
      verifier((credentials) => s3V4aVerifier({ ...common, credentials, regions })),
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
    signedAt: ({ scheme, notBefore }) => (SIGNS_DATE.has(scheme) ? notBefore.getTime() : undefined),
    life: ({ scheme, expiresAt, notBefore }, now) =>
      // A SigV2 URL or form names only its end. A request that is signed in its header is not a URL.
      scheme.endsWith("/header")
        ? 0
        : (expiresAt.getTime() - Math.max(notBefore.getTime(), scheme.endsWith("/v2") ? now : 0)) / 1000,
    task(permit, received, body) {
      responseOverrides(permit.grant);
      return s3Task(permit, received, { body, options });
    },
    refuse,
  };
}
