import type { Clock, KeyResolver } from "daypass";
import type { UrlKey } from "daypass/url";
import type { CorsPolicy } from "./http/cors.ts";
import type { AuditEvent } from "./pipeline/audit.ts";
import type { Limits } from "./pipeline/limits.ts";
import type { Tally } from "./pipeline/tally.ts";
import type { Dialect } from "./protocols/protocol.ts";
import type { S3AccessKey } from "./protocols/s3/access-key.ts";
import type { Storage } from "./storage/storage.ts";

/** Options of `createGateway`. Each is checked when the gateway is made. */
export interface GatewayOptions {
  /** Where the objects are. The gateway closes it. */
  readonly storage: Storage;
  /**
   * Origins that clients use, `scheme://host[:port]`. `https://*.s3.example.com` admits virtual-host style, where `*` is the
   * bucket. The request's Host has to select one of them; no forwarded header is read.
   */
  readonly origins: readonly string[];
  /** Keys by dialect; a dialect without keys is not spoken. A key belongs to one dialect. */
  readonly keys: {
    readonly s3?: KeyResolver<S3AccessKey> | undefined;
    /** JWKs or a function that finds one by its kid; their scopes apply. */
    readonly url?: KeyResolver<UrlKey> | readonly UrlKey[] | undefined;
  };
  /**
   * At least 32 secret bytes, the same in all workers and replicas: holders of an S3 key may then ask for credentials that end
   * by themselves, by `AssumeRole` and `GetSessionToken` of AWS's Security Token Service. Another secret ends all of them.
   */
  readonly sessionSecret?: Uint8Array | undefined;
  /**
   * Origins that a form upload may send the browser to when it is done (`success_action_redirect`), `scheme://host[:port]` in the
   * URL standard's spelling: lower case, without the scheme's own port. None by default.
   */
  readonly redirectOrigins?: readonly string[] | undefined;
  /** The region that S3 answers name, `us-east-1` by default. */
  readonly region?: string | undefined;
  /** Regions that SigV4 signatures may be made for: `region` alone by default, as at Amazon. */
  readonly regions?: readonly string[] | undefined;
  /** The audience that Daypass URLs must have been signed for; without it only those without one are served. */
  readonly audience?: string | undefined;
  /** Cross-origin requests: none by default. */
  readonly cors?: CorsPolicy | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Dialects by `host[:port]`, for hosts that do not speak all of them. */
  readonly hosts?: Readonly<Record<string, readonly Dialect[]>> | undefined;
  /** Told once about each request, when its last byte is out. What it throws is lost: a log must not end a server. */
  readonly audit?: ((event: AuditEvent) => void) | undefined;
  /**
   * Whether a `SignatureDoesNotMatch` shows the caller the canonical request and the string to sign, as AWS does: the caller's
   * own bytes, never a signature. On by default.
   */
  readonly debugFields?: boolean | undefined;
  /**
   * Whether `/-/metrics` gives this process's counts to whoever asks, in Prometheus' format. Off by default: the listener is the
   * one that strangers reach.
   */
  readonly metrics?: boolean | undefined;
  /**
   * Milliseconds after which a long copy, or the end of a long upload in parts, begins its answer as S3 does: with a 200 and white
   * space at this interval, behind which comes the document of the result or of an error. 10,000 by default.
   */
  readonly keepAliveMs?: number | undefined;
  /**
   * The gateway does not follow it back: what has ended stays ended. Whoever makes one gateway after the other, as at a reload, gives
   * all of them the same `steadyClock`.
   */
  readonly clock?: Clock | undefined;
  /** Requests under way and counts, of this gateway alone unless told. At a reload: those of the one before. */
  readonly tally?: Tally | undefined;
  /** Random bytes for the ids of requests and of sessions. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}
