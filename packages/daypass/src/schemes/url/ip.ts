import { formatIpv6, type Network, parseCidr } from "../../wire/ip.ts";
import { readList } from "./grammar.ts";

/** The item of dp-ip for a network: "." and ":" are "-" and "/" is "_", so that no host re-spells it. */
function formatNetwork({ bytes, bits }: Network): string {
  return `${(bytes.length === 4 ? bytes.join(".") : formatIpv6(bytes)).replace(/[.:]/g, "-")}_${bits}`;
}

/** The network of an item, or `undefined` unless it has its one spelling. */
function parseItem(item: string): Network | undefined {
  const cidr = item.replace("_", "/");
  // Four groups of IPv6 never fill 16 bytes without "--", so the two families cannot be mistaken.
  const network = parseCidr(cidr.replaceAll("-", ".")) ?? parseCidr(cidr.replaceAll("-", ":"));
  return network && formatNetwork(network) === item ? network : undefined;
}

/** What puts networks in the order of dp-ip: IPv4 before IPv6, then by address, then the larger network first. */
function rank({ bytes, bits }: Network): string {
  return String.fromCharCode(bytes.length, ...bytes, bits);
}

/** The networks of dp-ip, or `undefined` unless each has its one spelling and they are in ascending order. */
export function parseNetworks(value: string): readonly Network[] | undefined {
  return readList(value, parseItem, rank);
}

/** The value of dp-ip for networks in CIDR notation and single addresses; empty where one is neither. */
export function networksValue(networks: readonly string[]): string {
  const read = networks.map(parseCidr);
  if (!read.every((network) => network !== undefined)) return "";
  return [...new Set(read.sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).map(formatNetwork))].join(".");
}
