/** The probes of load balancers and monitoring, and the counters that they show. */
import type { WireRequest } from "daypass";
import { textAnswer } from "../protocols/text-answer.ts";
import { type Metrics, type MetricsSnapshot, metrics, metricsText } from "./metrics.ts";
import type { Answer } from "./outcome.ts";
import { type Occupancy, occupancy } from "./unverified-body-limit.ts";

export interface ProbeState {
  /** Why the gateway accepts no work, in a word; `undefined` if it does. */
  readonly obstacle: () => string | undefined;
  /** Why links do not open, in a word; `undefined` if they do, or if the gateway has none. */
  readonly linkObstacle: () => string | undefined;
  /** Why the audit is not signed, in a word; `undefined` if it is, or if the gateway has none. */
  readonly auditFault: () => string | undefined;
  /** The metrics of all processes; absent if the operator does not show them. */
  readonly metrics?: (() => MetricsSnapshot | Promise<MetricsSnapshot>) | undefined;
}

/**
 * Answers the probes under `/-/`, for any Host, because load balancers ask by address: whether the process is alive, whether it accepts work,
 * and its metrics. `undefined` for every other request. Without its state a gateway still serves signed URLs, so only `?links` fails then.
 */
export function answerProbe(
  { method, target }: WireRequest,
  { obstacle, linkObstacle, auditFault, metrics }: ProbeState,
): Answer | Promise<Answer> | undefined {
  if (!target.startsWith("/-/") || (method !== "GET" && method !== "HEAD")) return undefined;
  if (target === "/-/healthz") return text(200, "ok\n");
  if (target === "/-/readyz" || target === "/-/readyz?links") {
    const reason = obstacle();
    if (reason !== undefined) return text(503, `${reason}\n`);
    const forLinks = linkObstacle();
    // Links continue: otherwise an attacker who writes to the database could take the gateway out of service.
    if (forLinks === undefined)
      return text(200, auditFault() === undefined ? "ready\n" : "degraded: audit not signed\n");
    return target.endsWith("?links") ? text(503, `${forLinks}\n`) : text(200, "degraded\n");
  }
  if (target === "/-/metrics" && metrics !== undefined) {
    return answerMetrics(metrics);
  }
  return undefined;
}

async function answerMetrics(metrics: NonNullable<ProbeState["metrics"]>): Promise<Answer> {
  return textAnswer({
    status: 200,
    type: "text/plain; version=0.0.4; charset=utf-8",
    text: metricsText(await metrics()),
  });
}

function text(status: number, body: string): Answer {
  return textAnswer({ status, type: "text/plain; charset=utf-8", text: body });
}

/** A process's requests in progress and its counters. Created by {@link tally}; only gateways change it. */
export interface Tally {
  /** Requests in progress. */
  inFlight: number;
  /** Bodies in progress that are not verified yet. */
  readonly unverified: Occupancy;
  readonly metrics: Metrics;
  /** The metrics, with the requests in progress. */
  snapshot(): MetricsSnapshot;
}

/**
 * For programs that create one gateway after another in the same process, for example on reload. Pass the same one to
 * all of them: the old gateway's requests then count against the limits of the new one until they finish, and counters
 * continue.
 *
 * @example
 * ```ts
 * import { createGateway, type GatewayOptions, tally } from "@daypass/gateway";
 *
 * const shared = tally();
 * export const gatewayFor = (options: GatewayOptions) => createGateway({ ...options, tally: shared });
 * ```
 */
export function tally(): Tally {
  return {
    inFlight: 0,
    unverified: occupancy(),
    metrics: metrics(),
    snapshot() {
      return { ...this.metrics.snapshot(), in_flight: [this.inFlight] };
    },
  };
}
