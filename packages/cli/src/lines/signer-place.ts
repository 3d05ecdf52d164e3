import { DaypassError } from "daypass";
import { type FieldKind, missing, oneOf, text } from "./fields.ts";
import { endpointOrigins, ownOrigin } from "./origins.ts";

/**
 * What a signer is told of a store's place. An entry of `schemes` takes it, too, so that one object describes both sides. Of
 * `addressing` a verifier takes either, and of a bucket's own host it has to be told the bucket.
 */
export interface SignerPlace {
  readonly region?: string;
  readonly endpoint?: string | undefined;
  readonly regions?: readonly string[];
  readonly regionSet?: readonly string[];
  readonly origins?: readonly string[] | undefined;
}

/** The fields of {@link SignerPlace} that only a signer needs. */
export const SIGNER_FIELDS: Readonly<Record<string, FieldKind>> = {
  ...{ region: text, endpoint: text },
  addressing: oneOf("virtual", "path", "bucket-bound"),
};

/** The regions that a signature may be for: the signer's own, where no list is given. */
export function regionsOf({ region, regions }: SignerPlace): readonly string[] | undefined {
  if (region !== undefined && regions !== undefined) throw both("region", "regions");
  return region === undefined ? regions : [region];
}

/** The set of regions that a SigV4A signer signs, where it is given one: its region only chooses the endpoint. */
export function regionSetOf({ regionSet, regions }: SignerPlace): readonly string[] | undefined {
  if (regionSet !== undefined && regions !== undefined) throw both("regionSet", "regions");
  return regionSet;
}

/** The origins that are served: those of the signer's endpoint, where no list is given. */
export function originsOf({ endpoint, origins }: SignerPlace): readonly string[] | undefined {
  if (endpoint !== undefined && origins !== undefined) throw both("endpoint", "origins");
  return endpoint === undefined ? origins : endpointOrigins(endpoint);
}

/** The buckets of hosts of their own. Without that of a host the first segment of the path would pass for it. */
export function bucketsOf(
  { addressing, buckets, endpoint, origins }: BucketHosts,
  origin: string,
): BucketHosts["buckets"] {
  if (addressing !== "bucket-bound") return buckets;
  const hosts = endpoint === undefined ? (origins ?? [ownOrigin(origin)]) : endpointOrigins(endpoint).slice(0, 1);
  const host = hosts.find((one) => buckets?.[one] === undefined);
  if (host === undefined) return buckets;
  throw missing(
    `buckets with ${JSON.stringify(host)}`,
    `name the bucket of that host, {${JSON.stringify(host)}:"media"}`,
  );
}

interface BucketHosts extends Pick<SignerPlace, "endpoint" | "origins"> {
  readonly addressing?: "virtual" | "path" | "bucket-bound" | undefined;
  readonly buckets?: Readonly<Record<string, string>> | undefined;
}

function both(one: string, other: string): DaypassError {
  return new DaypassError("INVALID_INPUT", `expected ${one} or ${other}, found both: leave one out`);
}
