import { BlockList, isIP } from "node:net";
import type { WireRequest } from "daypass";
import { CommandError } from "../../command.ts";

/**
 * Finds the client behind proxies that are trusted by their address. From the socket backwards, each hop is believed only
 * if the one that named it is trusted: what a client itself wrote into `X-Forwarded-For` is never reached.
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
      // A hop that is no address hides the client: better none than a proxy's.
      if (isIP(hop) === 0) return { ...request, remoteAddress: undefined };
      client = hop;
      if (!isTrusted(hop)) break;
    }
    return { ...request, remoteAddress: client };
  };
}

/** What a trusted proxy is named by. */
export const NETWORK = "an address, or a network in CIDR notation";

/** Whether a text is an address, or a network in CIDR notation. */
export function isNetwork(text: string): boolean {
  const { version, bits } = parseNetwork(text);
  return version !== 0 && bits <= (version === 6 ? 128 : 32);
}

function addNetwork(list: BlockList, network: string): void {
  const { address, version, bits } = parseNetwork(network);
  if (!isNetwork(network))
    throw new CommandError(`expected trustedProxies as ${NETWORK}, found ${JSON.stringify(network)}`);
  list.addSubnet(address, bits, version === 6 ? "ipv6" : "ipv4");
}

/** `version` is 0 where there is no address, and `bits` is not a number where there is no length. */
function parseNetwork(network: string): { readonly address: string; readonly version: number; readonly bits: number } {
  const [address = "", prefix, more] = network.split("/");
  const version = more === undefined ? isIP(address) : 0;
  const bits =
    prefix === undefined ? (version === 6 ? 128 : 32) : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  return { address, version, bits };
}

// A socket that listens on both protocols shows IPv4 peers as ::ffff:192.0.2.1.
function unmapped(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice("::ffff:".length) : address;
}
