/** The probes of load balancers and monitoring, and the counters that they show. */
import type { WireRequest } from "daypass";
import { textAnswer } from "../protocols/text-answer.ts";
import type { AuditEvent } from "./audit.ts";
import type { Answer } from "./outcome.ts";
import { type Occupancy, occupancy } from "./unverified-body-limit.ts";

export interface ProbeState {
  /** Why the gateway accepts no work, in a word; `undefined` if it does. */
  readonly obstacle: () => string | undefined;
  /** The metrics as text; absent if the operator does not show them. */
  readonly metrics?: (() => string) | undefined;
}

/**
 * Answers the probes under `/-/`, for any Host, because load balancers ask by address: whether the process is alive, whether it accepts work,
 * and its metrics. `undefined` for every other request.
 */
export function answerProbe({ method, target }: WireRequest, { obstacle, metrics }: ProbeState): Answer | undefined {
  if (!target.startsWith("/-/") || (method !== "GET" && method !== "HEAD")) return undefined;
  if (target === "/-/healthz") return text(200, "ok\n");
  if (target === "/-/readyz") {
    const reason = obstacle();
    return reason === undefined ? text(200, "ready\n") : text(503, `${reason}\n`);
  }
  if (target === "/-/metrics" && metrics !== undefined) {
    return textAnswer({ status: 200, type: "text/plain; version=0.0.4; charset=utf-8", text: metrics() });
  }
  return undefined;
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
  return { inFlight: 0, unverified: occupancy(), metrics: metrics() };
}

/** Upper bounds of the duration histogram, in seconds. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

/** Counts of this process, in the text format that Prometheus reads. */
export interface Metrics {
  /** Adds a finished request. */
  count(event: AuditEvent): void;
  /** Returns all counts in the text format of Prometheus. */
  text(now: { readonly inFlight: number }): string;
}

/** Starts the counts. No label contains client-chosen text, because each value becomes a series. */
export function metrics(): Metrics {
  const requests = new Map<string, number>();
  const refusals = new Map<string, number>();
  const durations = new Array<number>(BUCKETS.length + 1).fill(0);
  let seconds = 0;
  let bytes = 0;
  let incomplete = 0;

  return {
    count(event) {
      increment(
        requests,
        `scheme="${event.scheme ?? "none"}",method="${methodLabel(event.method)}",status="${event.status}"`,
      );
      if (event.code !== undefined) increment(refusals, `code="${event.code}"`);
      const duration = event.duration / 1000;
      const bucket = BUCKETS.findIndex((bound) => duration <= bound);
      const at = bucket < 0 ? BUCKETS.length : bucket;
      durations[at] = (durations[at] ?? 0) + 1;
      seconds += duration;
      bytes += event.bytes;
      if (!event.complete) incomplete += 1;
    },
    text({ inFlight }) {
      let total = 0;
      const histogram = durations.map((count, i) => {
        total += count;
        return `daypass_request_duration_seconds_bucket{le="${BUCKETS[i] ?? "+Inf"}"} ${total}\n`;
      });
      return [
        ["requests_total", "counter", "Requests answered.", series("requests_total", requests)],
        ["refusals_total", "counter", "Requests refused, by code.", series("refusals_total", refusals)],
        ["sent_bytes_total", "counter", "Bytes of bodies sent.", `daypass_sent_bytes_total ${bytes}\n`],
        ["cut_total", "counter", "Responses that were cut.", `daypass_cut_total ${incomplete}\n`],
        ["in_flight", "gauge", "Requests under way.", `daypass_in_flight ${inFlight}\n`],
        [
          "request_duration_seconds",
          "histogram",
          "From the head of a request to the last byte of its answer.",
          `${histogram.join("")}daypass_request_duration_seconds_sum ${seconds}\ndaypass_request_duration_seconds_count ${total}\n`,
        ],
      ]
        .map(([name, type, help, lines]) => `# HELP daypass_${name} ${help}\n# TYPE daypass_${name} ${type}\n${lines}`)
        .join("");
    },
  };
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]);

function methodLabel(method: string): string {
  return METHODS.has(method) ? method : "other";
}

function increment(counts: Map<string, number>, labels: string): void {
  counts.set(labels, (counts.get(labels) ?? 0) + 1);
}

function series(name: string, counts: ReadonlyMap<string, number>): string {
  let text = "";
  for (const [labels, count] of counts) text += `daypass_${name}{${labels}} ${count}\n`;
  return text;
}
