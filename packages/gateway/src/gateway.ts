import { Readable } from "node:stream";
import type { Grant, WireRequest } from "daypass";
import { policyRule } from "./http/cors.ts";
import { given } from "./http/validate-options.ts";
import { type OperationResult, perform, type SignalSource } from "./operations/operations.ts";
import { checkOptions, type GatewayOptions } from "./options.ts";
import type { Authenticated } from "./permit.ts";
import { type Notes, notesOf, requestIds } from "./pipeline/audit.ts";
import { authenticator } from "./pipeline/authenticate.ts";
import { authorize } from "./pipeline/authorize.ts";
import { answerPreflight, bucketRules, NO_RULES } from "./pipeline/cross-origin.ts";
import { earlyBody, within } from "./pipeline/early-response.ts";
import { expiringResponses } from "./pipeline/expiring-responses.ts";
import { defaultLimits, type Limits } from "./pipeline/limits.ts";
import { type Answer, discard, type Outcome } from "./pipeline/outcome.ts";
import { answerProbe, tally } from "./pipeline/probes.ts";
import { type Received, receive } from "./pipeline/receive.ts";
import { Refusal, toRefusal } from "./pipeline/refusal.ts";
import { crossOriginOf, exchangeOf, type Reached, responder } from "./pipeline/respond.ts";
import { cutByRevocation, expectNotRevoked } from "./pipeline/revocation.ts";
import { steadyClock } from "./pipeline/steady-clock.ts";
import type { Protocol, Task } from "./protocols/protocol.ts";
import { protocolsOf } from "./protocols.ts";
import { refuser } from "./refuse.ts";
import { mayUpgrade } from "./upstream/route-table.ts";

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
  /** Whether the connection of a request may change its protocol, because its route forwards WebSockets. Absent without routes. */
  upgrades?(request: WireRequest): boolean;
  /**
   * Returns the grant of a request without serving it, for programs that revoke by URL. Rejects as a verifier does.
   * Does not check the scope of the key, nor revocations.
   */
  verify(request: WireRequest): Promise<Grant>;
  /** Makes the readiness probe fail, and closes the storage. Call it when no request is in progress. */
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
  const { storage, origins, routes, cors = {}, audit, keepAliveMs = KEEP_ALIVE_MS, tally: counts = tally() } = options;
  const links = options.links?.links;
  const clock = steadyClock(options.clock ?? (() => new Date()));
  const limits: Limits = { ...defaultLimits, ...given(options.limits) };
  const protocols = protocolsOf(options, limits, clock);
  const { recognise, nativeTo, authenticate } = authenticator({
    protocols,
    hosts: options.hosts,
    unverifiedBodies: {
      places: Math.ceil(limits.inFlight / 4),
      perAddress: limits.unverifiedPerAddress,
      occupied: counts.unverified,
    },
  });
  const cutByExpiry = expiringResponses(clock);
  const isCounting = options.metrics !== undefined && options.metrics !== false;
  const respond = responder({
    cors,
    clock,
    onDelivered(event) {
      if (isCounting) counts.metrics.count(event);
      try {
        audit?.(event);
      } catch {
        // A failing log must not end the server.
      }
    },
    onOver() {
      counts.inFlight -= 1;
    },
  });
  const { answer: refusal, refuse } = refuser({ recognise, nativeTo, fallback: protocols[0], respond });
  const policy = policyRule(cors);
  const rulesFor = bucketRules(storage, origins);
  const nextRequestId = requestIds(options.random);
  let closed = false;
  const probes = {
    obstacle() {
      if (closed) return "draining";
      if (storage.isAvailable?.() === false) return "storage unavailable";
      if (links?.isStale() === true) return "revocations outdated";
      return clock.lag() < MAX_LAG_MS ? undefined : "the clock was set back: restart the gateway";
    },
    linkObstacle: () => links?.obstacle(),
    auditFault: () => links?.state.auditFault?.(),
    metrics: options.metrics === true ? () => counts.snapshot() : options.metrics || undefined,
  };

  // Each step takes the result of the one before, so a forgotten step does not compile. Any error becomes the refusal at the end.
  async function serve({ received, body, notes, signal, reached }: Arrival): Promise<Outcome> {
    let result: OperationResult | undefined;
    let authenticated: Authenticated<Protocol> | undefined;
    try {
      const { request, fields } = received;
      if (fields.origin !== undefined && routes?.find(request) === undefined)
        reached.rules = await rulesFor(request, signal);
      if (request.method === "OPTIONS") return respond(answerPreflight([policy, ...reached.rules], received), notes);
      const begun = isCounting ? performance.now() : 0;
      authenticated = await authenticate(received, body);
      const { protocol, grant } = authenticated;
      if (isCounting) {
        const seconds = (performance.now() - begun) / 1000;
        counts.metrics.observe("verify_duration_seconds", seconds, `scheme="${grant.scheme}"`);
      }
      reached.protocol = protocol;
      notes.signer = grant;
      notes.resource = protocol.resource(grant);
      notes.parentKeyId = protocol.parentKeyId?.(grant);
      const authorized = authorize(authenticated, {
        findRevoked: links?.revocations.findPrefix,
        now: clock().getTime(),
      });
      const permit = authorized instanceof Promise ? await authorized : authorized;
      reached.permit = permit;
      if (links !== undefined) expectNotRevoked(permit, links);
      const reading = protocol.task(permit, received, authenticated.body);
      const task = reading instanceof Promise ? await reading : reading;
      const performed = perform(task.request, { storage, links, now: permit.at, signal, journal: notes });
      if (performed instanceof Promise && task.begin !== undefined && !(await within(performed, keepAliveMs)))
        return respondEarly(task, task.begin(exchangeOf(notes, reached)), { performed, notes, reached });
      result = performed instanceof Promise ? await performed : performed;
      const answer = task.present(result, exchangeOf(notes, reached));
      const outcome = respond(answer, notes, crossOriginOf(reached));
      if (links !== undefined) cutByRevocation(outcome, permit, links);
      return answer.endsAt === undefined ? outcome : cutByExpiry(outcome, answer.endsAt);
    } catch (error) {
      // The object of a faulty driver may have headers that cannot be sent, and its body is open by then.
      if (typeof result === "object" && "body" in result) discard(result.body);
      if (typeof result === "object" && "tunnel" in result) result.tunnel?.destroy();
      if (typeof result === "object" && "settle" in result) result.settle(0);
      return refuse(await translated(error, authenticated), notes, reached);
    }
  }

  /** Responds while the work goes on. The body then contains the result or the error. */
  function respondEarly(task: Task, begun: Answer, { performed, notes, reached }: Working): Outcome {
    const finished = performed
      .then((result) => task.present(result, exchangeOf(notes, reached)))
      .catch((error: unknown) => refusal(error, notes, reached));
    const pieces = earlyBody(begun, { finished, everyMs: keepAliveMs });
    const stream = Readable.from(pieces, { objectMode: false });
    const answer: Answer = { ...begun, body: { kind: "stream", stream, length: undefined } };
    return respond(answer, notes, { ...crossOriginOf(reached), work: finished });
  }

  return {
    limits,
    handle(request, body, signal) {
      const isRequest = isWireRequest(request);
      const ids = { requestId: nextRequestId(), time: clock().getTime() };
      const notes = notesOf(isRequest ? request : NO_REQUEST, ids);
      const reached: Reached = { rules: NO_RULES };
      counts.inFlight += 1;
      try {
        if (!isRequest) throw new TypeError("the request is not a WireRequest. Pass what its type names");
        const probe = answerProbe(request, probes);
        if (probe instanceof Promise)
          return probe.then(
            (answer) => respond(answer, notes),
            (error: unknown) => refuse(error, notes, reached),
          );
        if (probe !== undefined) return respond(probe, notes);
        const received = receive(request, limits);
        reached.received = received;
        if (counts.inFlight > limits.inFlight)
          throw new Refusal("BUSY", `more than ${limits.inFlight} requests are in progress. Try again`);
        return serve({ received, body, notes, signal, reached });
      } catch (error) {
        return refuse(error, notes, reached);
      }
    },
    ...(routes === undefined ? {} : { upgrades: (request: WireRequest) => mayUpgrade(routes, request) }),
    async verify(request) {
      const { grant } = await authenticate(receive(request, limits), Readable.from([]));
      return grant;
    },
    async close() {
      closed = true;
      await routes?.close();
      await storage.close();
    },
  };
}

/** A request whose head was read. */
interface Arrival {
  readonly received: Received;
  readonly body: AsyncIterable<Uint8Array>;
  readonly notes: Notes;
  readonly signal: SignalSource;
  readonly reached: Reached;
}

/** A request whose operation takes long. */
interface Working extends Pick<Arrival, "notes" | "reached"> {
  readonly performed: Promise<OperationResult>;
}

/** Half of the time that proxies and clients wait for a byte, at least. */
const KEEP_ALIVE_MS = 10_000;

/** S3 refuses a header whose time is further away. By then, URLs that are signed now have expired or come from the past. */
const MAX_LAG_MS = 900_000;

/** Stands for a value of a faulty adapter that is not a request. */
const NO_REQUEST: WireRequest = { method: "", target: "", authority: "", headers: [] };

function isWireRequest(request: WireRequest): boolean {
  return (
    typeof request?.target === "string" &&
    typeof request.method === "string" &&
    typeof request.authority === "string" &&
    Array.isArray(request.headers)
  );
}

/** The refusal that the client may see. */
async function translated(error: unknown, authenticated: Authenticated<Protocol> | undefined): Promise<unknown> {
  if (authenticated?.protocol.translated === undefined) return error;
  const { protocol, grant, received } = authenticated;
  return protocol.translated?.(toRefusal(error), grant, received.request).catch((failed: unknown) => failed);
}
