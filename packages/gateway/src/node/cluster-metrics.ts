/** The metrics of all workers: the worker that receives a scrape asks the primary, which asks every worker. */
import { countersOf, type MetricsSnapshot, sumOf } from "../pipeline/metrics.ts";
import type { Tally } from "../pipeline/probes.ts";
import type { Channel } from "./workers.ts";

type Message =
  /** A worker was scraped. The reply is a `sum`. */
  | { readonly metrics: "scraped" }
  | { readonly metrics: "sum"; readonly snapshot: MetricsSnapshot }
  /** The primary collects. The reply is a `values`. */
  | { readonly metrics: "collect" }
  | { readonly metrics: "values"; readonly snapshot: MetricsSnapshot };

function isMessage(message: unknown): message is Message {
  return typeof message === "object" && message !== null && Object.hasOwn(message, "metrics");
}

/** A worker that is busy for longer counts with its last values. */
const DEADLINE_MS = 1000;

/** The primary's end of {@link collectMetrics}. */
export interface MetricsCollector {
  /** Adds a worker: call it in `onWorker`. */
  add(channel: Channel): void;
}

/**
 * Adds up the metrics of workers. The counts of a worker that has ended remain in the sum as they were at the last scrape, because
 * Prometheus would read a falling counter as a restart.
 *
 * @example
 * ```ts
 * import { metricsCollector, type PrimaryOptions } from "@daypass/gateway/node";
 *
 * const collector = metricsCollector();
 * export const options: PrimaryOptions = { workers: 2, onWorker: (channel) => collector.add(channel) };
 * ```
 */
export function metricsCollector(): MetricsCollector {
  const latest = new Map<Channel, MetricsSnapshot>();
  const waiting = new Set<Channel>();
  const scraped = new Set<Channel>();
  let ended: MetricsSnapshot = {};
  let timer: NodeJS.Timeout | undefined;
  const finish = (): void => {
    clearTimeout(timer);
    waiting.clear();
    const snapshot = sumOf([ended, ...latest.values()]);
    for (const channel of scraped) channel.send({ metrics: "sum", snapshot } satisfies Message);
    scraped.clear();
  };
  const answered = (channel: Channel): void => {
    if (waiting.delete(channel) && waiting.size === 0) finish();
  };
  return {
    add(channel) {
      latest.set(channel, {});
      channel.onMessage((message) => {
        if (!isMessage(message)) return;
        if (message.metrics === "values") {
          latest.set(channel, message.snapshot);
          answered(channel);
        }
        if (message.metrics !== "scraped") return;
        scraped.add(channel);
        if (waiting.size > 0) return;
        timer = setTimeout(finish, DEADLINE_MS);
        for (const worker of latest.keys()) {
          waiting.add(worker);
          worker.send({ metrics: "collect" } satisfies Message);
        }
      });
      channel.onClose(() => {
        ended = sumOf([ended, countersOf(latest.get(channel) ?? {})]);
        latest.delete(channel);
        scraped.delete(channel);
        answered(channel);
      });
    },
  };
}

/**
 * Connects a worker to the {@link metricsCollector} of its primary. Pass the result to `createGateway` as `metrics`. It rejects if the
 * primary does not answer within two seconds.
 *
 * @param tally the counts of this worker, which its gateway must have as `tally`
 *
 * @example
 * ```ts
 * import { type Channel, collectMetrics } from "@daypass/gateway/node";
 * import { type GatewayOptions, tally } from "@daypass/gateway";
 *
 * const counts = tally();
 * export const optionsOf = (channel: Channel): Partial<GatewayOptions> => ({
 *   tally: counts,
 *   metrics: collectMetrics(channel, counts),
 * });
 * ```
 */
export function collectMetrics(channel: Channel, tally: Pick<Tally, "snapshot">): () => Promise<MetricsSnapshot> {
  const waiting = new Set<(snapshot: MetricsSnapshot) => void>();
  channel.onMessage((message) => {
    if (!isMessage(message)) return;
    if (message.metrics === "collect")
      channel.send({ metrics: "values", snapshot: tally.snapshot() } satisfies Message);
    if (message.metrics === "sum") for (const resolve of waiting) resolve(message.snapshot);
  });
  return () =>
    new Promise((resolve, reject) => {
      const answered = (snapshot: MetricsSnapshot): void => {
        clearTimeout(late);
        waiting.delete(answered);
        resolve(snapshot);
      };
      const late = setTimeout(() => {
        waiting.delete(answered);
        reject(new Error("the primary did not answer a scrape of the metrics"));
      }, 2 * DEADLINE_MS);
      waiting.add(answered);
      channel.send({ metrics: "scraped" } satisfies Message);
    });
}
