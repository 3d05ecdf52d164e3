import { type Clock, DaypassError, type KeyResolver, type ObligationKind } from "daypass";
import { type UrlGrant, type UrlKey, urlVerifier } from "daypass/url";
import type { Limits } from "../../pipeline/limits.ts";
import type { Resource } from "../../pipeline/scope-match.ts";
import { responseOverrides } from "../object-headers.ts";
import type { Protocol } from "../protocol.ts";
import { bodyRefusal } from "./body-refusal.ts";
import { urlOperation } from "./operation.ts";
import { presentUrl } from "./present.ts";
import { refuseUrl } from "./refuse.ts";

export interface UrlProtocolOptions {
  readonly keys: KeyResolver<UrlKey> | readonly UrlKey[];
  readonly origins: readonly string[];
  /** The purpose that URLs must have been signed for. */
  readonly audience: string | undefined;
  readonly limits: Limits;
  readonly clock: Clock;
}

/**
 * Enforced by `operation.ts` and by the storage; `strip` by never looking at the query. `uses` is not among them: without state
 * a URL that may be used twice could be used for ever.
 */
const ENFORCED: readonly ObligationKind[] = ["body-length", "body-sha256", "create-only", "response", "strip"];

/** Daypass URLs on files: the first segment of the path is the bucket, the rest the key. */
export function urlProtocol({ keys, origins, audience, limits, clock }: UrlProtocolOptions): Protocol<UrlGrant> {
  // A Daypass URL signs its origin, so it needs one that is written out.
  const exact = origins.filter((origin) => !origin.includes("*"));
  if (exact.length === 0) {
    throw new DaypassError("INVALID_INPUT", "expected an origin without `*` for Daypass URLs, found none: add one");
  }
  const present = presentUrl();
  return {
    dialect: "url",
    verifiers: [urlVerifier({ keys, origins: exact, audience, clock, enforces: ENFORCED })],
    resource: ({ path }) => resourceOf(path),
    life: ({ expiresAt, notBefore }) => (expiresAt.getTime() - notBefore.getTime()) / 1000,
    task(permit, received, body) {
      responseOverrides(permit.grant);
      return { request: urlOperation(permit, received, { body, limits }), present };
    },
    attributed: (refusal, { grant }) => bodyRefusal(refusal, grant),
    refuse: refuseUrl,
  };
}

/**
 * The grammar of a Daypass URL leaves one decoding: no `%2F`, no dot segment, no empty segment but the last, and valid UTF-8. So
 * decoding the whole path and decoding its segments is the same.
 */
function resourceOf(path: string): Resource {
  const decoded = decodeURIComponent(path).slice(1);
  const slash = decoded.indexOf("/");
  if (slash < 0 || slash === decoded.length - 1) {
    return { bucket: slash < 0 ? decoded : decoded.slice(0, slash), key: undefined };
  }
  return { bucket: decoded.slice(0, slash), key: decoded.slice(slash + 1) };
}
