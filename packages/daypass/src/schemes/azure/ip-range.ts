import { parseIpv4 } from "../../wire/ip.ts";

/** First and last address of a `sip`, `a` or `a-b`, as numbers; NaN where it is neither. */
function parseIpRange(sip: string): readonly [first: number, last: number] {
  const addresses = sip.split("-").map(toNumber);
  const [first = Number.NaN, last = first] = addresses.length > 2 ? [] : addresses;
  return [first, last];
}

function toNumber(address: string): number {
  return parseIpv4(address)?.reduce((sum, byte) => sum * 256 + byte, 0) ?? Number.NaN;
}

/**
 * Whether the peer is known and in the range. A dual-stack socket tells an IPv4 address as `::ffff:a.b.c.d`, and some who pass it on
 * write `::ffff:102:304`. `peerAddress` knows all that IPv6 can be, which no `sip` is for, at four times the weight.
 */
export function isInRange(sip: string, remoteAddress = ""): boolean {
  const [first, last] = parseIpRange(sip);
  const [high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/i.exec(remoteAddress)?.slice(1) ?? [];
  const address = high
    ? Number(`0x${high}`) * 65_536 + Number(`0x${low}`)
    : toNumber(remoteAddress.replace(/^::ffff:/i, ""));
  return address >= first && address <= last;
}

/** The `sip` for one IPv4 address, a range `a-b` or a network `a/n`, or `undefined`: that is all that Azure can bind. */
export function ipRangeText(ip: string): string | undefined {
  const [, address = ip, bits = "32"] = /^([^/-]*)\/([0-9]|[12][0-9]|3[012])$/.exec(ip) ?? [];
  const [first, last] = parseIpRange(address);
  const size = 2 ** (32 - Number(bits));
  // Host bits have to be zero.
  if (!(first <= last) || first % size !== 0) return undefined;
  return size === 1 ? address : `${address}-${toText(first + size - 1)}`;
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}
