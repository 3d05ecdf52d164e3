/** A range of addresses; IPv4 is 4 bytes, IPv6 16. */
export interface Network {
  readonly bytes: readonly number[];
  /** How many leading bits are fixed. */
  readonly bits: number;
}

const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;

export function parseIpv4(text: string): readonly number[] | undefined {
  const octets = text.split(".");
  // A leading zero means octal to some parsers, so it means nothing here.
  if (octets.length !== 4 || !octets.every((octet) => OCTET.test(octet) && Number(octet) < 256)) return undefined;
  return octets.map(Number);
}

export function parseIpv6(text: string): readonly number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === "" ? [] : groups(half)));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 16 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])];
}

function groups(text: string): readonly number[] | undefined {
  const bytes: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (/^[0-9A-Fa-f]{1,4}$/.test(part)) {
      const value = Number.parseInt(part, 16);
      bytes.push(value >> 8, value & 255);
    } else {
      const embedded = i === parts.length - 1 ? parseIpv4(part) : undefined;
      if (embedded === undefined) return undefined;
      bytes.push(...embedded);
    }
  }
  return bytes;
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups (the first of equals) as "::". */
export function formatIpv6(bytes: readonly number[]): string {
  const values = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number));
  let start = 0;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && values[end] === 0) end++;
    if (end - i > length) [start, length] = [i, end - i];
  }
  const hex = values.map((value) => value.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** The bytes of an address in any legal text form, or `undefined`. */
export function parseAddress(text: string): readonly number[] | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function isMapped(bytes: readonly number[]): boolean {
  return (
    bytes.length === 16 && bytes[10] === 255 && bytes[11] === 255 && bytes.slice(0, 10).every((byte) => byte === 0)
  );
}

/**
 * The address of a peer as sockets tell it: the zone is dropped and `::ffff:a.b.c.d` is the IPv4 address it stands for,
 * or a dual-stack listener would never match an IPv4 range.
 */
export function peerAddress(text: string): readonly number[] | undefined {
  const bytes = parseAddress(text.replace(/%.*$/, ""));
  return bytes !== undefined && isMapped(bytes) ? bytes.slice(12) : bytes;
}

/** The first address of the network that `bytes` lies in. */
function masked(bytes: readonly number[], bits: number): readonly number[] {
  return bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 255);
}

/** A network with its host bits zero and no IPv4-mapped address, or `undefined`. */
export function makeNetwork(bytes: readonly number[], bits: number): Network | undefined {
  if (!(bits <= bytes.length * 8) || isMapped(bytes)) return undefined;
  return masked(bytes, bits).every((byte, i) => byte === bytes[i]) ? { bytes, bits } : undefined;
}

function networkContains({ bytes, bits }: Network, address: readonly number[]): boolean {
  return address.length === bytes.length && masked(address, bits).every((byte, i) => byte === bytes[i]);
}

/** Whether a peer is in one of the networks; an unknown address is in none. Without networks every peer is welcome. */
export function isInside(remoteAddress: string | undefined, networks: readonly Network[] | undefined): boolean {
  if (networks === undefined) return true;
  const address = peerAddress(remoteAddress ?? "");
  return address !== undefined && networks.some((network) => networkContains(network, address));
}

/** A network in CIDR notation, or a single address, or `undefined`. Host bits have to be zero. */
export function parseCidr(text: string): Network | undefined {
  const { bytes, bits } = readCidr(text) ?? { bytes: [], bits: 1 };
  return makeNetwork(bytes, bits);
}

/** The network that `192.0.2.7/24` lies in: for formats whose host bits mean nothing. */
export function coveringNetwork(text: string): Network | undefined {
  const { bytes, bits } = readCidr(text) ?? { bytes: [], bits: 1 };
  return makeNetwork(masked(bytes, bits), bits);
}

function readCidr(text: string): Network | undefined {
  const [address = "", prefix, ...more] = text.split("/");
  const bytes = parseAddress(address);
  if (bytes === undefined || more.length > 0 || !/^[0-9]{1,3}$/.test(prefix ?? "0")) return undefined;
  return { bytes, bits: Number(prefix ?? bytes.length * 8) };
}
