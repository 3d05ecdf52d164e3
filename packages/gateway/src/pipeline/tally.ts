import { type Metrics, metrics } from "./metrics.ts";
import { type Occupancy, occupancy } from "./unverified-body-limit.ts";

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
