import { Readable } from "node:stream";
import type { WireRequest } from "daypass";
import { checkOptions } from "./check-options.ts";
import type { CorsRule } from "./http/cors-rules.ts";
import { given } from "./http/validate-options.ts";
import { type OperationResult, perform, type SignalSource } from "./operations/operations.ts";
import type { GatewayOptions } from "./options.ts";
import type { Permit } from "./permit.ts";
import type { Notes } from "./pipeline/audit.ts";
import { authenticator } from "./pipeline/authenticate.ts";
import { authorize } from "./pipeline/authorize.ts";
import { bucketRules, NO_RULES } from "./pipeline/bucket-rules.ts";
import { health } from "./pipeline/health.ts";
import { keptAlive, within } from "./pipeline/keep-alive.ts";
import { defaultLimits, type Limits } from "./pipeline/limits.ts";
import { type Answer, discard, type Outcome } from "./pipeline/outcome.ts";
import { answerPreflight, refusedPreflight } from "./pipeline/preflight.ts";
import { type Received, receive } from "./pipeline/receive.ts";
import { Refusal, toRefusal } from "./pipeline/refusal.ts";
import { requestIds } from "./pipeline/request-id.ts";
import { exit } from "./pipeline/respond.ts";
import { steadyClock } from "./pipeline/steady-clock.ts";
import { tally } from "./pipeline/tally.ts";
import { refuseUnrecognised } from "./protocols/page.ts";
import type { Exchange, Protocol, Task } from "./protocols/protocol.ts";
import { protocolsOf } from "./protocols.ts";

/** A gateway, created by {@link createGateway}: it answers requests, and owns its storage. */
export interface Gateway {
  readonly limits: Limits;
  /**
   * Answers one request. Never throws and never rejects: errors become an outcome with a status.
   *
   * The caller must send the outcome's status, headers and body unchanged, release the body even if the client has disconnected,
   * and call `delivered` once. `body` is read only after the request has been authorised.
   *
   * @param signal aborted when the client disconnects. A function is called only when the gateway has to wait for something, because
   * creating a signal costs a tenth of a small response
   */
  handle(
    request: WireRequest,
    body: AsyncIterable<Uint8Array>,
    signal?: AbortSignal | (() => AbortSignal),
  ): Outcome | Promise<Outcome>;
  /** Makes the readiness probe fail, and closes the storage. Call it when no request is in progress any more. */
  close(): Promise<void>;
}

/**
 * Creates a gateway, which verifies requests, and serves what the signature grants and the policy permits.
 *
 * Reads no environment variables and opens no socket; for a socket, use `@daypass/gateway/node`.
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
  const rulesFor = bucketRules(storage, options.origins);
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
    let protocol: Protocol | undefined;
    let permit: Permit | undefined;
    let result: OperationResult | undefined;
    try {
      const authenticated = await authenticate(received, body);
      protocol = authenticated.protocol;
      notes.grant = authenticated.grant;
      notes.parentKeyId = protocol.parentKeyId?.(authenticated.grant);
      const authorized = authorize(authenticated, clock().getTime());
      permit = authorized instanceof Promise ? await authorized : authorized;
      const asked = protocol.task(permit, received, authenticated.body);
      const task = asked instanceof Promise ? await asked : asked;
      const performed = perform(task.request, { storage, now: permit.at, signal, journal: notes });
      if (performed instanceof Promise && task.begin !== undefined) {
        const done = await within(performed, keepAliveMs);
        if (done === undefined) return respondEarly(task, performed, { protocol, permit, arrival });
      }
      result = performed instanceof Promise ? await performed : performed;
      const answer = task.present(result, exchangeOf(arrival, permit));
      return leave.respond(answer, notes, { origin: received.fields.origin, rules });
    } catch (error) {
      // What no header can say of an object, as by a driver of somebody else's: its bytes are open by then.
      if (typeof result === "object" && "body" in result) discard(result.body);
      return refuse(error, notes, { received, verified: protocol, permit, rules });
    }
  }

  /** Answers while the work goes on. What comes of it, be it an error, is told in the body. */
  function respondEarly(
    task: Task,
    performed: Promise<OperationResult>,
    { protocol, permit, arrival }: { readonly protocol: Protocol; readonly permit: Permit; readonly arrival: Arrival },
  ): Outcome {
    const { received, notes, rules } = arrival;
    const exchange = exchangeOf(arrival, permit);
    const begun = task.begin?.(exchange);
    if (begun === undefined) throw new TypeError("an answer was to be begun that cannot be");
    const finished = performed
      .then((result) => task.present(result, exchange))
      .catch((error: unknown) => refusalAnswer(error, notes, { received, verified: protocol, permit }));
    const pieces = keptAlive(begun, { finished, everyMs: keepAliveMs });
    const stream = Readable.from(pieces, { objectMode: false });
    const answer: Answer = { ...begun, body: { kind: "stream", stream, length: undefined } };
    // Where the client leaves the work goes on, and has its place.
    return leave.respond(answer, notes, { origin: received.fields.origin, rules }, finished);
  }

  /** As `serve`, for a request of a page: whom its bucket allows to read the answer is looked up first. */
  async function serveCrossOrigin(arrival: Arrival): Promise<Outcome> {
    const { received, notes, signal } = arrival;
    const rules = await rulesFor(received.request, signal);
    return received.request.method === "OPTIONS"
      ? servePreflight(received, notes, rules)
      : serve({ ...arrival, rules });
  }

  function servePreflight(received: Received, notes: Notes, rules: readonly CorsRule[]): Outcome {
    try {
      return leave.respond(answerPreflight(cors, rules, received), notes);
    } catch (error) {
      return leave.respond(refusedPreflight(refusalAnswer(error, notes, { received })), notes);
    }
  }

  /** The answer to a request that came to nothing, in the words of its dialect. */
  function refusalAnswer(error: unknown, notes: Notes, { received, verified, permit }: Reached): Answer {
    const thrown = toRefusal(error);
    const refusal = permit === undefined ? thrown : (verified?.attributed?.(thrown, permit) ?? thrown);
    notes.code = refusal.code;
    const exchange = { requestId: notes.requestId, request: received?.request ?? notes.request, permit };
    const protocol = verified ?? (received === undefined ? undefined : recognise(received));
    const native = nativeTo(notes.request.authority) ?? fallback;
    const answer = protocol?.refuse(refusal, exchange) ?? refuseUnrecognised(native, refusal, exchange);
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
  /** The dialect that verified the request. */
  readonly verified?: Protocol | undefined;
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
