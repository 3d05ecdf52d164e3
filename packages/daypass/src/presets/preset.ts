import { invalidInput } from "../errors.ts";
import type { Provider } from "../provider.ts";

/** Options for the signers of `daypass/s3` and its subpaths, to be spread into theirs. */
export interface Preset {
  /** What the provider takes as the region of a signature. */
  readonly region: string;
  /** Scheme and host, and port where it is not the usual one. */
  readonly endpoint: string;
  /** Where the bucket's name goes. */
  readonly addressing: "path" | "virtual";
  /** What it can and cannot do: signers refuse what it is known to lack. */
  readonly provider: Provider;
}

/** The region of a hosted provider, by its own name. */
export interface RegionOptions {
  readonly region: string;
}

/** A server of your own. */
export interface ServerOptions {
  /** Scheme, host and port under which clients reach it: what is signed. */
  readonly endpoint: string;
  /** Only where the server is configured for another one than its own default. */
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
