/**
 * The socket side of the gateway, on `node:http`: one process with {@link listen}, several with {@link primary} and
 * {@link worker}.
 *
 * @module
 */
export { collectMetrics, type MetricsCollector, metricsCollector } from "./cluster-metrics.ts";
export { defaultMinimumRate, type NodeHandler, type NodeHandlerOptions, toNodeHandler } from "./handler.ts";
export {
  defaultTimeouts,
  type GatewayServer,
  type ListenOptions,
  type Logger,
  listen,
  type Timeouts,
} from "./listen.ts";
export { type Log, type LogOptions, openLog } from "./log.ts";
export type { MinimumRate } from "./slow-client.ts";
export { checkTlsPair, type TlsPair } from "./tls-pair.ts";
export {
  type Channel,
  type Primary,
  type PrimaryOptions,
  primary,
  type WorkerEnd,
  type WorkerExit,
  type WorkerHandlers,
  worker,
} from "./workers.ts";
