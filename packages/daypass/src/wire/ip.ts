import { invalidInput } from "../core/errors.ts";
import { unsupportedConstraint } from "../core/validate-options.ts";

/** A range of addresses; IPv4 is 4 bytes, IPv6 16. */
export interface Network {
  readonly bytes: readonly number[];
  /** How many leading bits are fixed. */
  readonly bits: number;
}

export function parseIpv4(text: string): readonly number[] | undefined {
  const octets = text.split(".").map(Number);
  // A leading zero means octal to some parsers, so only the canonical spelling is accepted.
  const valid = octets.length === 4 && octets.join(".") === text && octets.every((octet) => octet === (octet & 255));
  return valid ? octets : undefined;
}

export function parseIpv6(text: string): readonly number[] | undefined {
  const [head = [], tail, more] = text.split("::").map((half) => (half === "" ? [] : half.split(":").flatMap(group)));
  // "::" stands for one group or more.
  const missing = 16 - head.length - (tail?.length ?? 0);
  if (more !== undefined || (tail === undefined ? missing !== 0 : missing < 2)) return undefined;
  const bytes = [...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])];
  // An embedded IPv4 address can only be the end.
  return bytes.includes(Number.NaN) || /\..*:/.test(text) ? undefined : bytes;
}

function group(text: string): readonly number[] {
  const value = Number.parseInt(text, 16);
  return /^[\da-f]{1,4}$/i.test(text) ? [value >> 8, value & 255] : (parseIpv4(text) ?? [Number.NaN]);
}

// From the longest run of zero groups to the shortest.
const ZEROS = /* @__PURE__ */ [7, 6, 5, 4, 3, 2, 1].map((more) => new RegExp(`(^|:)0(:0){${more}}(:|$)`));

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups (the first of equals) as "::". */
export function formatIpv6(bytes: readonly number[]): string {
  const groups = bytes.flatMap((high, i) => (i % 2 === 0 ? [(high * 256 + Number(bytes[i + 1])).toString(16)] : []));
  const text = groups.join(":");
  const run = ZEROS.find((zeros) => zeros.test(text));
  return run === undefined ? text : text.replace(run, "::");
}

/** The bytes of an address in any legal text form, or `undefined`. */
export function parseAddress(text: string): readonly number[] | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function isMapped(bytes: readonly number[]): boolean {
  return bytes.join().startsWith("0,0,0,0,0,0,0,0,0,0,255,255,");
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

/** Whether an address lies in a network, which begins with `bytes`. */
function contains({ bytes, bits }: Network, address: readonly number[]): boolean {
  return masked(address, bits).join() === bytes.join();
}

/** A network if its host bits are zero and it is not IPv4-mapped. */
function checked(network: Network): Network | undefined {
  const { bytes, bits } = network;
  const isAddress = bytes.length > 0 && !isMapped(bytes);
  return isAddress && bits <= bytes.length * 8 && contains(network, bytes) ? network : undefined;
}

/** Whether a peer is in one of the networks; an unknown address is in none. Without networks every peer is welcome. */
export function isInside(remoteAddress: string | undefined, networks: readonly Network[] | undefined): boolean {
  if (networks === undefined) return true;
  const address = peerAddress(remoteAddress ?? "");
  return address !== undefined && networks.some((network) => contains(network, address));
}

/** A network in CIDR notation, or a single address, or `undefined`. Host bits have to be zero. */
export function parseCidr(text: string): Network | undefined {
  return checked(readCidr(text));
}

/** The network that `192.0.2.7/24` lies in: for formats whose host bits mean nothing. */
export function coveringNetwork(text: string): Network | undefined {
  const { bytes, bits } = readCidr(text);
  return checked({ bytes: masked(bytes, bits), bits });
}

/** An address and the bits of its network; no bytes for any other text. */
function readCidr(text: string): Network {
  const [, address = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bytes = parseAddress(address) ?? [];
  return { bytes, bits: Number(bits ?? bytes.length * 8) };
}

/**
 * The one network or address of `bind.ip`, for schemes that can bind one. Only `undefined` asks for none: of an empty list, as of
 * a value that is not a text, the URL would be valid for every client.
 */
export function oneNetwork(scheme: string, ip: unknown): string | undefined {
  if (ip === undefined) return undefined;
  const [text, ...others] = [ip].flat();
  if (others.length > 0) throw unsupportedConstraint(scheme, "several networks", "sign one URL for each");
  if (typeof text === "string" && parseCidr(text)) return text;
  throw invalidInput("bind.ip", "a CIDR network, host bits zero", text);
}
