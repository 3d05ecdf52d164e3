import { type Clock, DaypassError, type KeyResolver, type ObligationKind, type WireRequest } from "daypass";
import { type UrlGrant, type UrlKey, urlVerifier } from "daypass/url";
import type { Limits } from "../../pipeline/limits.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Resource } from "../../pipeline/scope-match.ts";
import { responseOverrides } from "../object-headers.ts";
import type { Protocol, UseCounter } from "../protocol.ts";
import { refuseUrl } from "./refuse.ts";
import { obligationOf, urlTask } from "./table.ts";

export interface UrlProtocolOptions {
  readonly keys: KeyResolver<UrlKey> | readonly UrlKey[];
  readonly origins: readonly string[];
  /** The audience that URLs must be signed for. */
  readonly audience: string | undefined;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Without it, URLs with `uses` are refused. */
  readonly uses: UseCounter | undefined;
  /** Whether a request belongs to a route. */
  readonly isRouted: (request: WireRequest) => boolean;
}

/** `table.ts` and the storage enforce them; `strip` by ignoring the query. `uses` needs a counter. */
const ENFORCED: readonly ObligationKind[] = ["body-length", "body-sha256", "create-only", "response", "strip"];

/** Daypass URLs on files: the first segment of the path is the bucket, the rest the key. */
export function urlProtocol({
  keys,
  origins,
  audience,
  limits,
  clock,
  uses,
  isRouted,
}: UrlProtocolOptions): Protocol<UrlGrant> {
  // A Daypass URL signs its origin, so a wildcard is not enough.
  const exact = origins.filter((origin) => !origin.includes("*"));
  if (exact.length === 0) {
    throw new DaypassError("INVALID_INPUT", "Daypass URLs need an origin without *. Add one to origins");
  }
  const verifier = urlVerifier({
    keys,
    origins: exact,
    audience,
    clock,
    enforces: uses === undefined ? ENFORCED : [...ENFORCED, "uses"],
  });
  return {
    dialect: "url",
    verifiers: [{ ...verifier, detects: (request) => verifier.detects(request) && !isRouted(request) }],
    resource: ({ path }) => resourceOf(path),
    signedAt: ({ notBefore }) => notBefore.getTime(),
    life: ({ expiresAt, notBefore }) => (expiresAt.getTime() - notBefore.getTime()) / 1000,
    task(permit, received, body) {
      responseOverrides(permit.grant);
      const task = urlTask({ permit, received, body, limits });
      const limited = obligationOf(permit.grant, "uses");
      if (uses === undefined || limited === undefined || received.request.method === "HEAD") return task;
      // The use is committed before the operation begins.
      return uses.claim(permit.grant, limited.limit).then((isLeft) => {
        if (isLeft) return task;
        throw new DaypassError("USES_SPENT", "the URL has no uses left. Ask for a new one");
      });
    },
    attributed: (refusal, { grant }) => bodyRefusal(refusal, grant),
    refuse: refuseUrl,
  };
}

/**
 * The grammar of a Daypass URL allows one decoding: no `%2F`, no dot segment, no empty segment but the last, and valid UTF-8. So the
 * whole path can be decoded at once.
 */
function resourceOf(path: string): Resource {
  const decoded = decodeURIComponent(path).slice(1);
  const slash = decoded.indexOf("/");
  if (slash < 0 || slash === decoded.length - 1) {
    return { bucket: slash < 0 ? decoded : decoded.slice(0, slash), key: undefined };
  }
  return { bucket: decoded.slice(0, slash), key: decoded.slice(slash + 1) };
}

/**
 * Reports a limit of the grant that the storage enforced as a breach of the grant: a breach has one code, whether the length was
 * announced or counted.
 */
function bodyRefusal(refusal: Refusal, grant: UrlGrant): Refusal {
  const { code, details } = refusal;
  const length = obligationOf(grant, "body-length");
  const isLength =
    (code === "TOO_LARGE" && details["limit"] === length?.max) ||
    (code === "TOO_SMALL" && details["limit"] === length?.min);
  if (length !== undefined && isLength) {
    const message = `the body has another length than the URL grants. Send ${length.min} to ${length.max} bytes`;
    return new Refusal("BODY_LENGTH", message, details, { cause: refusal });
  }
  const isDigest = code === "DIGEST_MISMATCH" && details["digest"] === "sha256";
  if (!isDigest || obligationOf(grant, "body-sha256") === undefined) return refusal;
  return new Refusal("BODY_DIGEST", "the URL grants another body. Send that one", details, { cause: refusal });
}
