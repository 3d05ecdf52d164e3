import { Readable } from "node:stream";
import type { Grant, WireRequest } from "daypass";
import { policyRule } from "./http/cors.ts";
import { given } from "./http/validate-options.ts";
import { type OperationResult, perform, type SignalSource } from "./operations/operations.ts";
import { checkOptions, type GatewayOptions } from "./options.ts";
import type { Permit } from "./permit.ts";
import { after } from "./pipeline/after.ts";
import { answerPreflight, bucketRules } from "./pipeline/cross-origin.ts";
import { earlyBody, within } from "./pipeline/early-response.ts";
import { expiringResponses } from "./pipeline/expiring-responses.ts";
import { defaultLimits, type Limits } from "./pipeline/limits.ts";
import { type Answer, discard, type Outcome } from "./pipeline/outcome.ts";
import { type Arrival, type Begun, pipeline } from "./pipeline/pipeline.ts";
import { tally } from "./pipeline/probes.ts";
import { crossOriginOf, exchangeOf } from "./pipeline/respond.ts";
import { cutByRevocation } from "./pipeline/revocation.ts";
import { steadyClock } from "./pipeline/steady-clock.ts";
import type { Task } from "./protocols/protocol.ts";
import { type Fronts, fronts, type OpenOptions, protocolsOf } from "./protocols.ts";
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
  /** Makes the readiness probe fail, sends the counts of links to the state, and closes the storage. Call it when no request is in progress. */
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
  return gatewayOf(fronts, options);
}

/** Creates a gateway with the fronts of another registry. */
export function gatewayOf(rows: Fronts, options: OpenOptions): Gateway {
  checkOptions(options, rows);
  const { storage, origins, routes, cors = {}, keepAliveMs = KEEP_ALIVE_MS, tally: counts = tally() } = options;
  const links = options.links?.links;
  const clock = steadyClock(options.clock ?? (() => new Date()));
  const limits: Limits = { ...defaultLimits, ...given(options.limits) };
  const cutByExpiry = expiringResponses(clock);
  const policy = policyRule(cors);
  const rulesFor = bucketRules(storage, origins);
  let closed = false;
  const { verify, begin, probe, receive, admit, respond, answer, refuse } = pipeline({
    ...options,
    protocols: protocolsOf(rows, options, { limits, clock }),
    limits,
    clock,
    tally: counts,
    isCounting: options.metrics !== undefined && options.metrics !== false,
    metrics: options.metrics === true ? () => counts.snapshot() : options.metrics || undefined,
    linkObstacle: () => links?.obstacle() ?? options.linkFault?.(),
    obstacle() {
      if (closed || options.isDraining?.() === true) return "draining";
      if (storage.isAvailable?.() === false) return "storage unavailable";
      if (links?.isStale() === true) return "revocations outdated";
      return clock.lag() < MAX_LAG_MS ? undefined : "the clock was set back: restart the gateway";
    },
  });

  // Any error becomes the refusal at the end.
  function serve(arrival: Arrival, signal: SignalSource): Outcome | Promise<Outcome> {
    const { received, notes, reached } = arrival;
    const { request, fields } = received;
    const failed = (error: unknown): Outcome => refuse(error, notes, reached);
    try {
      const isCrossOrigin = fields.origin !== undefined && routes?.find(request) === undefined;
      const served = after(isCrossOrigin ? rulesFor(request, signal) : reached.rules, (rules) => {
        reached.rules = rules;
        if (request.method === "OPTIONS") return respond(answerPreflight([policy, ...rules], received), notes);
        return after(admit(arrival), ({ protocol, permit, body }) =>
          after(protocol.task(permit, received, body), (task) => carryOut(task, arrival, { permit, signal })),
        );
      });
      return served instanceof Promise ? served.catch(failed) : served;
    } catch (error) {
      return failed(error);
    }
  }

  function carryOut(task: Task, { notes, reached }: Begun, { permit, signal }: Permitted): Outcome | Promise<Outcome> {
    const performed = perform(task.request, { storage, links, now: permit.at, signal, journal: notes });
    const finish = (result: OperationResult): Outcome => {
      try {
        const presented = task.present(result, exchangeOf(notes, reached));
        const outcome = respond(presented, notes, crossOriginOf(reached));
        if (links !== undefined) cutByRevocation(outcome, permit, links);
        return presented.endsAt === undefined ? outcome : cutByExpiry(outcome, presented.endsAt);
      } catch (error) {
        // The object of a faulty driver may have headers that cannot be sent, and its body is open by then.
        if (typeof result === "object" && "body" in result) discard(result.body);
        if (typeof result === "object" && "tunnel" in result) result.tunnel?.destroy();
        if (typeof result === "object" && "settle" in result) result.settle(0);
        throw error;
      }
    };
    const { begin } = task;
    if (!(performed instanceof Promise) || begin === undefined) return after(performed, finish);
    return within(performed, keepAliveMs).then((done) =>
      done === undefined
        ? respondEarly(task, begin(exchangeOf(notes, reached)), { performed, notes, reached })
        : finish(done.value),
    );
  }

  /** Responds while the work continues. The body then contains the result or the error. */
  function respondEarly(task: Task, begun: Answer, { performed, notes, reached }: Working): Outcome {
    const finished = performed
      .then((result) => task.present(result, exchangeOf(notes, reached)))
      .catch((error: unknown) => answer(error, notes, reached));
    const pieces = earlyBody(begun, { finished, everyMs: keepAliveMs });
    const stream = Readable.from(pieces, { objectMode: false });
    const early: Answer = { ...begun, body: { kind: "stream", stream, length: undefined } };
    return respond(early, notes, { ...crossOriginOf(reached), work: finished });
  }

  return {
    limits,
    handle(request, body, signal) {
      const isRequest = isWireRequest(request);
      const begun = begin(isRequest ? request : NO_REQUEST);
      const { notes, reached } = begun;
      try {
        if (!isRequest) throw new TypeError("the request is not a WireRequest. Pass what its type names");
        // A spread costs a twelfth of a small response.
        return probe(begun) ?? serve({ notes, reached, received: receive(begun), body }, signal);
      } catch (error) {
        return refuse(error, notes, reached);
      }
    },
    ...(routes === undefined ? {} : { upgrades: (request: WireRequest) => mayUpgrade(routes, request) }),
    verify,
    async close() {
      closed = true;
      await links?.counts.flush();
      await routes?.close();
      await storage.close();
    },
  };
}

/** What the operation of a permitted request needs in addition to its task. */
interface Permitted {
  readonly permit: Permit;
  readonly signal: SignalSource;
}

/** A request whose operation takes long. */
interface Working extends Begun {
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
