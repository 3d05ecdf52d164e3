import { type Metrics, metrics } from "./metrics.ts";
import { type Occupancy, occupancy } from "./places.ts";

/** What a process has under way, and what it has counted. Made by {@link tally}; only gateways write in it. */
export interface Tally {
  /** Requests under way. */
  inFlight: number;
  /** Bodies under way that nobody has verified yet. */
  readonly unverified: Occupancy;
  readonly metrics: Metrics;
}

/**
 * For whoever makes one gateway after the other in one process, as at a reload, and gives all of them the same: the requests of the
 * old one count against the limits of the new one until they end, and counters do not begin anew.
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
