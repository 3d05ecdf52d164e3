import { invalidInput } from "../core/errors.ts";
import type { Provider } from "../core/provider.ts";

/** Options for the signers of `daypass/s3` and its subpaths, to be spread into theirs. */
export interface Preset {
  /** The region for which the provider expects signatures. */
  readonly region: string;
  /** Scheme and host, and the port if it is not the default. */
  readonly endpoint: string;
  /** Where the bucket's name goes. */
  readonly addressing: "path" | "virtual";
  /** Its features: signers refuse those that it is known to lack. */
  readonly provider: Provider;
}

/** The region of a hosted provider, by its own name. */
export interface RegionOptions {
  readonly region: string;
}

/** A server of your own. */
export interface ServerOptions {
  /** Scheme, host and port that clients use, because these are signed. */
  readonly endpoint: string;
  /** Needed only if the server is configured for a region other than its default. */
  readonly region?: string | undefined;
}

/** Seven days, as with Amazon. */
export const SEVEN_DAYS = 604_800;

/** The endpoint of a server of your own, whose form the signer checks: without one it would sign for Amazon. Throws `INVALID_INPUT`. */
export function ownEndpoint(endpoint: string): string {
  if (typeof endpoint === "string") return endpoint;
  throw invalidInput("endpoint", "scheme://host[:port][/path]", endpoint);
}

/** A part of a host's name, so that no option can move the endpoint to another host. Throws `INVALID_INPUT`. */
export function label(option: string, value: string): string {
  // A variable that is not set is `undefined`, which an expression reads as a word.
  if (typeof value === "string" && /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(value)) return value;
  throw invalidInput(option, "lower-case letters, digits and hyphens", value);
}
