import type { Clock, KeyResolver, ObligationKind } from "daypass";
import { type S3Credentials, type S3Grant, s3Verifier } from "daypass/s3";
import { s3HeaderVerifier } from "daypass/s3/header";
import { s3V2Verifier } from "daypass/s3/v2";
import { s3V2HeaderVerifier } from "daypass/s3/v2/header";
import { s3V4aVerifier } from "daypass/s3/v4a";
import type { CreateHash } from "../../http/checksum.ts";
import type { Limits } from "../../pipeline/limits.ts";
import { responseOverrides } from "../object-headers.ts";
import type { KeyScope, Protocol } from "../protocol.ts";
import { refuseS3 } from "./refuse.ts";
import { s3Task } from "./task.ts";

/** An access key with what the operator lets it grant. */
export interface S3AccessKey extends S3Credentials {
  readonly scope?: KeyScope | undefined;
}

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
  /** Show a caller whose signature does not match the texts that the gateway signed: the caller's own bytes. */
  readonly debugFields: boolean;
}

/** Each is enforced by `operations/` and by the storage; `uses` is not among them, it needs state. */
const ENFORCED: readonly ObligationKind[] = ["body-sha256", "body-chunks", "body-checksum", "create-only", "response"];

/** The S3 dialect: SigV4, SigV4A and SigV2 in the query, SigV4 and SigV2 in the header. */
export function s3Protocol(options: S3ProtocolOptions): Protocol<S3Grant> {
  const { keys, origins, regions, region, limits, clock, createHash } = options;
  const common = { credentials: keys, origins, clock, enforces: ENFORCED };
  const refuse = refuseS3(options);
  return {
    dialect: "s3",
    verifiers: [
      s3Verifier({ ...common, regions }),
      s3HeaderVerifier({ ...common, regions }),
      s3V2Verifier(common),
      s3V2HeaderVerifier(common),
      s3V4aVerifier({ ...common, regions }),
    ],
    resource: (grant) => grant,
    scopes(keyId) {
      const found = keys(keyId);
      return found instanceof Promise ? found.then(scopesOf) : scopesOf(found);
    },
    life: ({ scheme, expiresAt, notBefore }, now) =>
      // A SigV2 URL tells only its end; a request signed in its header is no URL.
      scheme.endsWith("/header")
        ? 0
        : (expiresAt.getTime() - Math.max(notBefore.getTime(), scheme === "s3/v2" ? now : 0)) / 1000,
    task(permit, received, body) {
      responseOverrides(permit.grant);
      return s3Task(permit, received, { body, limits, createHash, origins, region });
    },
    refuse,
  };
}

const UNLIMITED: KeyScope = {};

function scopesOf(found: S3AccessKey | readonly S3AccessKey[] | undefined): KeyScope | readonly KeyScope[] | undefined {
  if (found === undefined) return undefined;
  return isList(found) ? found.map(({ scope = UNLIMITED }) => scope) : (found.scope ?? UNLIMITED);
}

function isList(found: S3AccessKey | readonly S3AccessKey[]): found is readonly S3AccessKey[] {
  return Array.isArray(found);
}
