import type { Clock, KeyResolver } from "daypass";
import type { UrlKey } from "daypass/url";
import type { CorsPolicy } from "./http/cors.ts";
import type { AuditEvent } from "./pipeline/audit.ts";
import type { Limits } from "./pipeline/limits.ts";
import type { Tally } from "./pipeline/probes.ts";
import type { Dialect } from "./protocols/protocol.ts";
import type { S3AccessKey } from "./protocols/s3/verifiers.ts";
import type { Storage } from "./storage/contract/storage.ts";

/** Options of `createGateway`. Each is checked when the gateway is created. */
export interface GatewayOptions {
  /** Where the objects are stored. The gateway closes it. */
  readonly storage: Storage;
  /**
   * Origins that clients use, `scheme://host[:port]`. `https://*.s3.example.com` admits virtual-host style, where `*` is the
   * bucket. The request's Host must match one of them; no forwarded header is read.
   */
  readonly origins: readonly string[];
  /** Keys by dialect; a dialect without keys is not supported. A key belongs to one dialect. */
  readonly keys: {
    readonly s3?: KeyResolver<S3AccessKey> | undefined;
    /** JWKs or a function that finds one by its kid; their scopes apply. */
    readonly url?: KeyResolver<UrlKey> | readonly UrlKey[] | undefined;
  };
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
  /** Dialects by `host[:port]`, for hosts that do not speak all of them. */
  readonly hosts?: Readonly<Record<string, readonly Dialect[]>> | undefined;
  /** Called once for each request, after its last byte was sent. What it throws is ignored: a log must not end a server. */
  readonly audit?: ((event: AuditEvent) => void) | undefined;
  /**
   * Whether a `SignatureDoesNotMatch` shows the caller the canonical request and the string to sign, as AWS does: the caller's
   * own bytes, never a signature. On by default.
   */
  readonly debugFields?: boolean | undefined;
  /**
   * Whether `/-/metrics` serves this process's metrics to anyone who asks, in Prometheus format. Off by default, because strangers can
   * reach the same listener.
   */
  readonly metrics?: boolean | undefined;
  /**
   * Milliseconds after which a long copy, or the completion of a long multipart upload, begins its response as S3 does: with a 200 and
   * whitespace at this interval, followed by the document of the result or of an error. 10,000 by default.
   */
  readonly keepAliveMs?: number | undefined;
  /**
   * The gateway does not follow it backwards: what has expired stays expired. If you create one gateway after another, as for a reload,
   * pass the same `steadyClock` to all of them.
   */
  readonly clock?: Clock | undefined;
  /** Requests in progress and counters, by default of this gateway only. For a reload, pass those of the previous gateway. */
  readonly tally?: Tally | undefined;
  /** Random bytes for the ids of requests and of sessions. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}
