import { createHash, createHmac, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { type Clock, DaypassError, type KeyResolver, type WireRequest } from "daypass";
import type { UrlKey } from "daypass/url";
import { checkOptions } from "./check-options.ts";
import type { CorsPolicy } from "./http/cors.ts";
import type { CorsRule } from "./http/cors-rules.ts";
import { given } from "./http/option-forms.ts";
import { operationContext, type SignalSource } from "./operations/operation-context.ts";
import { type OperationResult, perform } from "./operations/operations.ts";
import { addressedBucket } from "./pipeline/addressed-bucket.ts";
import type { AuditEvent, Notes } from "./pipeline/audit.ts";
import { authenticator } from "./pipeline/authenticate.ts";
import { authorize, type Permit } from "./pipeline/authorize.ts";
import { health } from "./pipeline/health.ts";
import { keptAlive, within } from "./pipeline/keep-alive.ts";
import { defaultLimits, type Limits } from "./pipeline/limits.ts";
import type { Answer, Outcome } from "./pipeline/outcome.ts";
import { answerPreflight, refusedPreflight } from "./pipeline/preflight.ts";
import { Refusal, toRefusal } from "./pipeline/refusal.ts";
import { requestIds } from "./pipeline/request-id.ts";
import { exit } from "./pipeline/respond.ts";
import { type Sessions, sessions } from "./pipeline/sessions.ts";
import { steadyClock } from "./pipeline/steady-clock.ts";
import { type Tally, tally } from "./pipeline/tally.ts";
import { type Received, receive } from "./pipeline/target.ts";
import type { Dialect, Exchange, Protocol, Task } from "./protocols/protocol.ts";
import type { S3AccessKey } from "./protocols/s3/access-key.ts";
import { s3Protocol } from "./protocols/s3/index.ts";
import { refuseStranger } from "./protocols/stranger.ts";
import { stsProtocol } from "./protocols/sts/index.ts";
import { urlProtocol } from "./protocols/url/index.ts";
import type { Storage } from "./storage/storage.ts";

/** Options of {@link createGateway}. Each is checked when the gateway is made. */
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
  /** Random bytes for request ids. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/** What {@link createGateway} makes: it answers requests, and owns its storage. */
export interface Gateway {
  readonly limits: Limits;
  /**
   * Answers one request. Never throws and never rejects: what goes wrong becomes an outcome with a status.
   *
   * Whoever calls it sends the outcome's status, headers and body as they are, releases the body also when the client is gone,
   * and calls `delivered` once. `body` is read only after the request was let through.
   *
   * @param signal aborted when the client is gone. Of a function it is asked where something has to be waited for: making one costs a
   * tenth of a small answer
   */
  handle(
    request: WireRequest,
    body: AsyncIterable<Uint8Array>,
    signal?: AbortSignal | (() => AbortSignal),
  ): Outcome | Promise<Outcome>;
  /** Whether it answers: no longer once `close` was called. */
  close(): Promise<void>;
}

/**
 * Makes a gateway: it verifies what it is sent, and serves what the signature grants and policy permits.
 *
 * Reads no environment and opens no socket; `@daypass/gateway/node` does the latter.
 *
 * @throws {DaypassError} `INVALID_INPUT`, `INVALID_KEY` for options that cannot work
 * @example
 * ```ts
 * import { mkdir } from "node:fs/promises";
 * import { createGateway } from "@daypass/gateway";
 * import { disk } from "@daypass/gateway/disk";
 * import { listen } from "@daypass/gateway/node";
 *
 * const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * await mkdir("files", { recursive: true });
 * const gateway = createGateway({
 *   storage: await disk({ root: "files" }),
 *   origins: ["http://127.0.0.1:8080"],
 *   keys: { s3: (id) => (id === key.accessKeyId ? key : undefined) },
 * });
 * export const server = await listen(gateway, { port: 8080 });
 * ```
 */
export function createGateway(options: GatewayOptions): Gateway {
  checkOptions(options);
  const { storage, cors = {}, audit, keepAliveMs = KEEP_ALIVE_MS, tally: counts = tally() } = options;
  const clock = steadyClock(options.clock ?? (() => new Date()));
  const limits: Limits = { ...defaultLimits, ...given(options.limits) };
  const protocols = protocolsOf(options, limits, clock);
  const [fallback] = protocols;
  const { recognise, nativeTo, authenticate } = authenticator({
    protocols,
    hosts: options.hosts,
    unverifiedBodies: {
      places: Math.ceil(limits.inFlight / 4),
      perAddress: limits.unverifiedPerAddress,
      occupied: counts.unverified,
    },
  });
  const bucketOf = addressedBucket(options.origins);
  const nextRequestId = requestIds(options.random);
  const counted = options.metrics === true ? counts.metrics : undefined;
  const showMetrics = counted === undefined ? undefined : () => counted.text(counts);
  let closed = false;
  const obstacle = (): string | undefined =>
    closed ? "draining" : storage.isAvailable?.() === false ? "storage unavailable" : undefined;
  const leave = exit({
    cors,
    clock,
    onDelivered(event) {
      counted?.count(event);
      try {
        audit?.(event);
      } catch {
        // Whoever audits has to notice by itself.
      }
    },
    onOver() {
      counts.inFlight -= 1;
    },
  });

  // Raw head → target → grant → permit → task → result → answer → outcome. Each step takes what the one before it returned, so a step
  // that is forgotten does not compile; and whatever is thrown on the way becomes the refusal at its end.
  async function serve(arrival: Arrival): Promise<Outcome> {
    const { received, body, notes, signal, rules } = arrival;
    let permit: Permit | undefined;
    try {
      const authenticated = await authenticate(received, body);
      notes.grant = authenticated.grant;
      notes.parentKeyId = authenticated.protocol.parentKeyId?.(authenticated.grant);
      const authorized = authorize(authenticated, clock().getTime());
      permit = authorized instanceof Promise ? await authorized : authorized;
      const asked = permit.protocol.task(permit, received, authenticated.body);
      const task = asked instanceof Promise ? await asked : asked;
      const performed = perform(task.request, operationContext({ storage, now: permit.at, signal, journal: notes }));
      if (performed instanceof Promise && task.begin !== undefined) {
        const done = await within(performed, keepAliveMs);
        if (done === undefined) return respondEarly(task, performed, { permit, arrival });
      }
      const result = performed instanceof Promise ? await performed : performed;
      const answer = task.present(result, permit, exchangeOf(arrival, permit));
      return leave.respond(answer, notes, { origin: received.fields.origin, rules });
    } catch (error) {
      return refuse(error, notes, { received, permit, rules });
    }
  }

  /** Answers while the work goes on. What comes of it, be it an error, is told in the body. */
  function respondEarly(
    task: Task,
    performed: Promise<OperationResult>,
    { permit, arrival }: { readonly permit: Permit; readonly arrival: Arrival },
  ): Outcome {
    const { received, notes, rules } = arrival;
    const exchange = exchangeOf(arrival, permit);
    const begun = task.begin?.(exchange);
    if (begun === undefined) throw new TypeError("an answer was to be begun that cannot be");
    const finished = performed
      .then((result) => task.present(result, permit, exchange))
      .catch((error: unknown) => refusalAnswer(error, notes, { received, permit }));
    const pieces = keptAlive(begun, { finished, everyMs: keepAliveMs });
    const stream = Readable.from(pieces, { objectMode: false });
    const answer: Answer = { ...begun, body: { kind: "stream", stream, length: undefined } };
    // Where the client leaves the work goes on, and has its place.
    return leave.respond(answer, notes, { origin: received.fields.origin, rules }, finished);
  }

  /** The same for a request of a page: whom its bucket allows to read the answer is looked up first. */
  async function serveCrossOrigin(arrival: Arrival): Promise<Outcome> {
    const { received, notes } = arrival;
    const rules = await rulesOf(received.request);
    return received.request.method === "OPTIONS"
      ? servePreflight(received, notes, rules)
      : serve({ ...arrival, rules });
  }

  /** Without its rules the bucket allows nothing; whether its storage fails, the request itself finds out. */
  async function rulesOf(request: WireRequest): Promise<readonly CorsRule[]> {
    try {
      return await storage.corsRules(bucketOf(request));
    } catch {
      return NO_RULES;
    }
  }

  function servePreflight(received: Received, notes: Notes, rules: readonly CorsRule[]): Outcome {
    try {
      return leave.respond(answerPreflight(cors, rules, received), notes);
    } catch (error) {
      return leave.respond(refusedPreflight(refusalAnswer(error, notes, { received })), notes);
    }
  }

  /** The answer to a request that came to nothing, in the words of its dialect. */
  function refusalAnswer(error: unknown, notes: Notes, { received, permit }: Reached): Answer {
    const thrown = toRefusal(error);
    const refusal = permit?.protocol.attributed?.(thrown, permit) ?? thrown;
    notes.code = refusal.code;
    const exchange = { requestId: notes.requestId, request: received?.request ?? notes.request, permit };
    const protocol = permit?.protocol ?? (received === undefined ? undefined : recognise(received));
    const native = nativeTo(notes.request.authority) ?? fallback;
    const answer = protocol?.refuse(refusal, exchange) ?? refuseStranger(native, refusal, exchange);
    // Whatever the code, this is not the client's doing: the reason is for the operator.
    if (answer.status >= 500) notes.error = refusal.cause;
    return answer;
  }

  function refuse(error: unknown, notes: Notes, reached: Reached & { readonly rules?: readonly CorsRule[] }): Outcome {
    const { received, rules = NO_RULES } = reached;
    try {
      const answer = refusalAnswer(error, notes, reached);
      return leave.respond(answer, notes, { origin: received?.fields.origin, rules });
    } catch (second) {
      // A dialect that cannot even refuse: there is nothing left to say it in.
      notes.code = "INTERNAL";
      notes.error = second;
      return leave.respond({ status: 500, headers: ["content-length", "0"], body: undefined }, notes);
    }
  }

  return {
    limits,
    handle(request, body, signal) {
      const notes: Notes = {
        requestId: nextRequestId(),
        request: isWireRequest(request) ? request : NO_REQUEST,
        time: clock().getTime(),
        grant: undefined,
        parentKeyId: undefined,
        code: undefined,
        error: undefined,
        deletions: undefined,
      };
      counts.inFlight += 1;
      let received: Received | undefined;
      try {
        if (notes.request === NO_REQUEST) throw new TypeError("expected a WireRequest, found another value");
        const probe = health(request, { obstacle, metrics: showMetrics });
        if (probe !== undefined) return leave.respond(probe, notes);
        received = receive(request, limits);
        if (counts.inFlight > limits.inFlight)
          throw new Refusal("BUSY", `expected at most ${limits.inFlight} requests at once, found more: try again`);
        const arrival = { received, body, notes, signal, rules: NO_RULES };
        if (received.fields.origin !== undefined) return serveCrossOrigin(arrival);
        return request.method === "OPTIONS" ? servePreflight(received, notes, NO_RULES) : serve(arrival);
      } catch (error) {
        return refuse(error, notes, { received });
      }
    },
    async close() {
      closed = true;
      await storage.close();
    },
  };
}

/** How far a request came that came to nothing. */
interface Reached {
  readonly received: Received | undefined;
  readonly permit?: Permit | undefined;
}

/** In the place of what is none, which only a faulty adapter can give. */
const NO_REQUEST: WireRequest = { method: "", target: "", authority: "", headers: [] };

function isWireRequest(request: WireRequest): boolean {
  return (
    typeof request?.target === "string" &&
    typeof request.method === "string" &&
    typeof request.authority === "string" &&
    Array.isArray(request.headers)
  );
}

const NO_RULES: readonly CorsRule[] = [];
/** Half of what proxies and clients wait for without a byte, at the least. */
const KEEP_ALIVE_MS = 10_000;

function exchangeOf({ notes }: Arrival, permit: Permit): Exchange {
  return { requestId: notes.requestId, request: notes.request, permit };
}

/** A request whose head was read, with what it brings. */
interface Arrival {
  readonly received: Received;
  readonly body: AsyncIterable<Uint8Array>;
  readonly notes: Notes;
  readonly signal: SignalSource;
  /** Of the bucket that it is addressed to. */
  readonly rules: readonly CorsRule[];
}

/** The dialects that have keys; the first one also answers those who speak none. */
function protocolsOf(options: GatewayOptions, limits: Limits, clock: Clock): readonly [Protocol, ...Protocol[]] {
  const {
    origins,
    keys,
    region = "us-east-1",
    regions = [region],
    audience,
    debugFields = true,
    redirectOrigins = [],
  } = options;
  const common = { origins, limits, clock };
  const protocols: Protocol[] = [];
  if (keys.s3 !== undefined) {
    const sessions = sessionsOf(options);
    protocols.push(
      s3Protocol({ ...common, keys: keys.s3, region, regions, debugFields, createHash, sessions, redirectOrigins }),
    );
    if (sessions !== undefined)
      protocols.push(stsProtocol({ ...common, keys: keys.s3, regions, sessions, createHash }));
  }
  if (keys.url !== undefined) protocols.push(urlProtocol({ ...common, keys: keys.url, audience }));
  const [first, ...others] = protocols;
  if (first === undefined) throw new TypeError("a gateway was checked to have keys, and has none");
  return [first, ...others];
}

const MIN_SECRET = 32;

function sessionsOf({ sessionSecret, random = randomBytes }: GatewayOptions): Sessions | undefined {
  if (sessionSecret === undefined) return undefined;
  if (sessionSecret.length < MIN_SECRET) {
    throw new DaypassError("INVALID_KEY", `expected a sessionSecret of at least ${MIN_SECRET} bytes, found fewer`);
  }
  return sessions((text) => createHmac("sha256", sessionSecret).update(text).digest(), random);
}
