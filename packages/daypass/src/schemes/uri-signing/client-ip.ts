import { coveringNetwork, isInside } from "../../wire/ip.ts";

/**
 * Whether an address lies in the network of a cdniip claim: "represented in CIDR notation, with dotted decimal format for
 * IPv4 addresses or canonical text representation for IPv6 addresses". The example of the standard has brackets around it
 * and bits behind its prefix, so these mean nothing here.
 */
export function isInsideClaim(remoteAddress: string | undefined, claim: string): boolean {
  const network = coveringNetwork(claim.replace(/^\[|\]$/g, ""));
  return network !== undefined && isInside(remoteAddress, [network]);
}
