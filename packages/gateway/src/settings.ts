import type { Clock } from "daypass";
import type { CorsPolicy } from "./http/cors.ts";
import type { Links } from "./links/links.ts";
import type { AccessEvent } from "./pipeline/access-log.ts";
import type { Limits } from "./pipeline/limits.ts";
import type { MetricsSnapshot } from "./pipeline/metrics.ts";
import type { Tally } from "./pipeline/probes.ts";
import type { HandOver } from "./protocols/link/hand-over.ts";
import type { Storage } from "./storage/contract/storage.ts";
import type { Routes } from "./upstream/contract.ts";

/** Links of a gateway. */
export interface GatewayLinks {
  /** From `openLinks`. A gateway that replaces another shares them. */
  readonly links: Links;
  /** The one origin of `/l/` and `/d/`, without `*`. By default the first such origin of `origins`. */
  readonly origin?: string | undefined;
  /** Further origins on whose hosts links to them open, below `/-/daypass/`: those that `createForwardAuth` decides about. None by default. */
  readonly hosts?: readonly string[] | undefined;
  /** The name that pages show as the sender. */
  readonly sharedBy?: string | undefined;
  /**
   * The server that sends the bytes of links made with `handOver`. The gateway then counts hand-overs and no bytes, and must be reachable
   * only through that front server. By default the gateway sends the bytes.
   */
  readonly handOver?: HandOver | undefined;
}

/** The options of `createGateway` that every front may read. */
export interface GatewaySettings {
  /** Where the objects are stored. The gateway closes it. */
  readonly storage: Storage;
  /**
   * Origins that clients use, `scheme://host[:port]`. `https://*.s3.example.com` admits virtual-host style, where `*` is the
   * bucket. The request's Host must match one of them; no forwarded header is read.
   */
  readonly origins: readonly string[];
  /**
   * At least 32 secret bytes, the same in all workers and replicas. Holders of an S3 key may then request temporary credentials
   * with `AssumeRole` and `GetSessionToken` of AWS's Security Token Service. Changing the secret ends all of them.
   */
  readonly sessionSecret?: Uint8Array | undefined;
  /**
   * Origins to which a form upload may redirect the browser when it is done (`success_action_redirect`), `scheme://host[:port]` in the
   * URL standard's spelling: lower case, without the scheme's own port. None by default.
   */
  readonly redirectOrigins?: readonly string[] | undefined;
  /** The region named in S3 responses, `us-east-1` by default. */
  readonly region?: string | undefined;
  /** Regions that SigV4 signatures may be for: by default only `region`, as at Amazon. */
  readonly regions?: readonly string[] | undefined;
  /** The audience that Daypass URLs must have been signed for; if not set, only URLs without an audience are accepted. */
  readonly audience?: string | undefined;
  /** Cross-origin requests: none by default. */
  readonly cors?: CorsPolicy | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Routes to upstreams, from `openRoutes` of `@daypass/gateway/upstream`: none by default. Their URLs need `keys.url`. The gateway closes them. */
  readonly routes?: Routes | undefined;
  /** Links and revocations: none by default. */
  readonly links?: GatewayLinks | undefined;
  /** Called once for each request, after its last byte was sent. What it throws is ignored: a log must not end a server. */
  readonly accessLog?: ((event: AccessEvent) => void) | undefined;
  /**
   * Whether a `SignatureDoesNotMatch` shows the caller the canonical request and the string to sign, as AWS does: the caller's
   * own bytes, never a signature. On by default.
   */
  readonly debugFields?: boolean | undefined;
  /**
   * Whether `/-/metrics` serves this process's metrics to anyone who asks, in Prometheus format. Off by default, because strangers can
   * reach the same listener. If several processes share the listener, pass a function that returns the sum over all of them, such as
   * `collectMetrics` of `@daypass/gateway/node`.
   */
  readonly metrics?: boolean | (() => Promise<MetricsSnapshot>) | undefined;
  /**
   * Milliseconds after which a long copy, or the completion of a long multipart upload, begins its response as S3 does: with a 200 and
   * whitespace at this interval, followed by the document of the result or of an error. 10,000 by default.
   */
  readonly keepAliveMs?: number | undefined;
  /**
   * For tests only: headers of S3 that are accepted without effect. `encryption` is `x-amz-server-side-encryption: AES256`, `acl` any canned
   * `x-amz-acl`. None by default, because the client would rely on an encryption or a list that does not exist.
   * With a list, even an empty one, the refusal of such a header names this option.
   */
  readonly tolerate?: readonly ("encryption" | "acl")[] | undefined;
  /**
   * The gateway does not follow it backwards: what has expired stays expired. If you create one gateway after another, as for a reload,
   * pass the same `steadyClock` to all of them.
   */
  readonly clock?: Clock | undefined;
  /** Requests in progress and counters, by default of this gateway only. For a reload, pass the tally of the previous gateway. */
  readonly tally?: Tally | undefined;
  /** Whether the readiness probe must fail, because the process is about to stop. Requests are still answered. Never by default. */
  readonly isDraining?: (() => boolean) | undefined;
  /** Why links that this gateway should have do not open, in a word: then `/-/readyz?links` fails. Nothing by default. */
  readonly linkFault?: (() => string | undefined) | undefined;
  /** Random bytes for the ids of requests and of sessions. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}
