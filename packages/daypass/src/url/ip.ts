import { formatIpv6, makeNetwork, type Network, parseCidr, parseIpv4, parseIpv6 } from "../ip.ts";

/** The item of dp-ip for a network: "." and ":" are "-" and "/" is "_", so that no host re-spells it. */
function formatNetwork({ bytes, bits }: Network): string {
  return `${(bytes.length === 4 ? bytes.join(".") : formatIpv6(bytes)).replace(/[.:]/g, "-")}_${bits}`;
}

/** The networks of dp-ip, or `undefined` unless each has its one spelling and they are in ascending order. */
export function parseNetworks(value: string): readonly Network[] | undefined {
  const networks: Network[] = [];
  for (const item of value.split(".")) {
    const network = parseItem(item);
    const last = networks.at(-1);
    if (network === undefined || (last !== undefined && compareNetworks(last, network) >= 0)) return undefined;
    networks.push(network);
  }
  return networks;
}

function parseItem(item: string): Network | undefined {
  const [address = "", bits = "", ...more] = item.split("_");
  // Four groups of IPv6 never fill 16 bytes without "--", so the two families cannot be mistaken.
  const bytes = parseIpv4(address.replaceAll("-", ".")) ?? parseIpv6(address.replaceAll("-", ":"));
  if (bytes === undefined || more.length > 0 || !/^[0-9]{1,3}$/.test(bits)) return undefined;
  const network = makeNetwork(bytes, Number(bits));
  return network !== undefined && formatNetwork(network) === item ? network : undefined;
}

/** The order of the items of dp-ip: IPv4 before IPv6, then by address, then the larger network first. */
function compareNetworks(a: Network, b: Network): number {
  if (a.bytes.length !== b.bytes.length) return a.bytes.length - b.bytes.length;
  const differs = a.bytes.findIndex((byte, i) => byte !== b.bytes[i]);
  return differs < 0 ? a.bits - b.bits : (a.bytes[differs] as number) - (b.bytes[differs] as number);
}

/** The value of dp-ip for networks in CIDR notation and single addresses, or `undefined` where one is neither. */
export function networksValue(networks: readonly string[]): string | undefined {
  const read: Network[] = [];
  for (const text of networks) {
    const network = parseCidr(text);
    if (network === undefined) return undefined;
    read.push(network);
  }
  return [...new Set(read.sort(compareNetworks).map(formatNetwork))].join(".");
}
