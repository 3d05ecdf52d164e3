import { BlockList, isIP } from "node:net";
import type { WireRequest } from "daypass";
import { CommandError } from "../../command.ts";

/**
 * Finds the client behind trusted proxies. Reads `X-Forwarded-For` from the end, and accepts a hop only if the next hop is trusted. So entries
 * that the client wrote are never reached.
 */
export function trustedProxies(networks: readonly string[]): (request: WireRequest) => WireRequest {
  if (networks.length === 0) return (request) => request;
  const trusted = new BlockList();
  for (const network of networks) addNetwork(trusted, network);
  const isTrusted = (address: string): boolean => trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

  return (request) => {
    let client = unmapped(request.remoteAddress ?? "");
    if (isIP(client) === 0 || !isTrusted(client)) return request;
    const hops = request.headers
      .filter(([name]) => name.toLowerCase() === "x-forwarded-for")
      .flatMap(([, value]) => value.split(","))
      .map((hop) => unmapped(hop.trim()))
      .reverse();
    for (const hop of hops) {
      // The client is unknown. Use no address rather than the address of a proxy.
      if (isIP(hop) === 0) return { ...request, remoteAddress: undefined };
      client = hop;
      if (!isTrusted(hop)) break;
    }
    return { ...request, remoteAddress: client };
  };
}

/** The format of a trusted proxy. */
export const NETWORK = "an address, or a network in CIDR notation";

/** Whether a text is an address, or a network in CIDR notation. */
export function isNetwork(text: string): boolean {
  const { version, bits } = parseNetwork(text);
  return version !== 0 && bits <= (version === 6 ? 128 : 32);
}

function addNetwork(list: BlockList, network: string): void {
  const { address, version, bits } = parseNetwork(network);
  if (!isNetwork(network)) throw new CommandError(`trustedProxies has ${JSON.stringify(network)}. Write ${NETWORK}`);
  list.addSubnet(address, bits, version === 6 ? "ipv6" : "ipv4");
}

/** `version` is 0 for an invalid address. `bits` is NaN for an invalid length. */
function parseNetwork(network: string): { readonly address: string; readonly version: number; readonly bits: number } {
  const [address = "", prefix, more] = network.split("/");
  const version = more === undefined ? isIP(address) : 0;
  const bits =
    prefix === undefined ? (version === 6 ? 128 : 32) : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  return { address, version, bits };
}

// A dual-stack socket reports IPv4 peers as ::ffff:192.0.2.1.
function unmapped(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice("::ffff:".length) : address;
}
