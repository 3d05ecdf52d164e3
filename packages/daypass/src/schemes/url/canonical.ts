import { uriEncode } from "../../wire/encoding.ts";
import { formatIpv6, type Network, parseCidr, parseIpv4, parseIpv6 } from "../../wire/ip.ts";
import { percentDecode } from "../../wire/raw-target.ts";

/** How a key signs: a property of the key and never of the URL. */
export type UrlAlgorithm = "HS256" | "Ed25519";

/** The signed parts, as on the wire. */
export interface UrlCanonical {
  /** The configured origin, `scheme://host[:port]`. */
  readonly origin: string;
  readonly kind: "exact" | "prefix";
  /** The whole path, or its fixed part with a trailing `/`. */
  readonly path: string;
  /** The tokens that are neither `dp-*` nor named in dp-vary, in wire order, joined by `&`. */
  readonly query: string;
  /** The `dp-*` tokens other than dp-signature, joined by `&`. */
  readonly params: string;
  /** `name:value` and a line feed for each header that dp-headers names. */
  readonly headers: string;
}

/**
 * "S = "daypass-url-v1" LF N(alg) N(origin) N(kind) N(path) N(query) N(params) N(headers)", where N writes the length
 * before the text: no two different requests share a string to sign, not even with chosen bytes (SigV1 and Flickr joined
 * their parts without that). Every part is ASCII, so its length in UTF-16 units is its length in bytes.
 *
 * Proven by test/vectors/url: "HS256: example 1 of the page" and "Ed25519: example 2 of the page".
 */
export function urlStringToSign(alg: UrlAlgorithm, parts: UrlCanonical): string {
  const { origin, kind, path, query, params, headers } = parts;
  let text = "daypass-url-v1\n";
  for (const part of [alg, origin, kind, path, query, params, headers]) text += `${part.length}:${part}\n`;
  return text;
}

/** The longest target that is read, in bytes. */
export const MAX_TARGET = 8192;

// Characters alone: that two digits of hexadecimal follow each "%" shows when it is decoded.
const PATH = /^\/[\w\-.~!$&'()*+,;=:@/%]*$/;
// A segment ends for some servers at ";" ("/a/..;/b" is "/a/../b" for them), so the part before it is what must be real.
const DOT_SEGMENT = /\/\.\.?(?:[;/]|$)/;
// An empty segment. Escapes of controls, DEL, "/", "\" and the unreserved bytes A-Za-z0-9-._~, which RFC 3986 section 2.3
// says to leave as they are, and those in lower case.
const DISGUISED = /\/[;/]|%(?:[01]|2[DEF]|3\d|[46][^0]|5[^BDE]|7[^BCD]|C2%[89]|.?[a-f])/;

/** Whether a path has a segment that URL parsers remove. */
export function hasDotSegment(path: string): boolean {
  return DOT_SEGMENT.test(path);
}

/** Rules 2.1 to 2.3: segments that every URL parser and every server leaves alone. */
export function isPath(path: string): boolean {
  return PATH.test(path) && !DOT_SEGMENT.test(path) && !DISGUISED.test(path) && isUtf8(path);
}

/**
 * Rule 3.4: the first segments of a path and a `/`, or `undefined` if it has no further segment or, rule 2.4, the holder
 * may not choose what follows: some servers would cut it at ";" or decode it twice.
 */
export function fixedPath(path: string, count: number): string | undefined {
  const segments = path.split("/");
  const rest = segments.splice(count + 1);
  return rest.length > 0 && !/;|%25[\dA-F]{2}/i.test(rest.join("/")) ? `${segments.join("/")}/` : undefined;
}

const QUERY = /^[\w\-.~!$()*+,;=:@/?&%]*$/;
const EMPTY_TOKEN = /^&|&&|&$/;

/** The query as a whole: its characters, that no token is empty, and rule 2.3. */
export function isQuery(query: string): boolean {
  return QUERY.test(query) && !EMPTY_TOKEN.test(query) && isUtf8(query);
}

function isUtf8(text: string): boolean {
  try {
    percentDecode(text);
    return true;
  } catch {
    return false;
  }
}

// "d", "p" and "-" in any case and either spelling: "dp%2Dip" and "DP-IP" are parameters for some server, so no URL may
// smuggle them past the signature.
const RESERVED_TOKEN = /(?:^|&)(?:d|%[46]4)(?:p|%[57]0)(?:-|%2d)/i;

/** Rule 2.5: whether a token of a raw query has a name that, decoded and in lower case, starts with "dp-". */
export function hasReserved(query: string): boolean {
  return RESERVED_TOKEN.test(query);
}

/**
 * Rule 3.3: UTF-8 with every byte other than A-Za-z0-9*-._ as %XX, which is what URLSearchParams writes too, so a host
 * that re-serialises the query leaves it alone. Throws `INVALID_INPUT` for half of a surrogate pair.
 */
export function encodeText(text: string): string {
  return uriEncode(text).replaceAll("~", "%7E").replaceAll("%2A", "*");
}

/** The text of a value in that spelling, or `undefined` for any other spelling and for spaces and controls. */
export function decodeText(value: string): string | undefined {
  const text = percentDecode(value);
  return /^[^ \p{Cc}]+$/u.test(text) && encodeText(text) === value ? text : undefined;
}

/** {@link decodeText} for text in a header: visible ASCII. */
export function decodeHeaderText(value: string): string | undefined {
  const text = decodeText(value);
  return text && /^[!-~]+$/.test(text) ? text : undefined;
}

/** Rule 3.5: the items of a list, or `undefined` if an item cannot be read or the items are not strictly ascending. */
export function readList<T>(
  value: string,
  read: (item: string) => T | undefined,
  rank: (item: T) => string,
): readonly T[] | undefined {
  const items: T[] = [];
  let last = "";
  for (const text of value.split(".")) {
    const item = read(text);
    // What is compared has no character above U+00FF, so the order of UTF-16 units is the order of bytes.
    if (item === undefined || rank(item) <= last) return undefined;
    last = rank(item);
    items.push(item);
  }
  return items;
}

/** Joins the items of a list: each once, in ascending order. Without items there is no list. */
export function joinList(items: readonly string[]): string | undefined {
  return items.length > 0 ? [...new Set(items)].sort().join(".") : undefined;
}

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

/** The value of dp-ip for networks in CIDR notation and single addresses; empty if an item is neither. */
export function networksValue(networks: readonly string[]): string {
  const read = networks.map(parseCidr);
  if (!read.every((network) => network !== undefined)) return "";
  return [...new Set(read.sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).map(formatNetwork))].join(".");
}

// The text in front of the host cannot be a host's label: it is empty, or begins or ends with "-".
const ORIGIN =
  /^(https?):\/\/(?!.*(?:\.[.-]|-\.))(?:\[([\da-f:]+)\]|([a-z\d](?:[a-z\d.-]*[a-z\d])?))(?::([1-9]\d{0,4}))?$/;

/**
 * Whether a text is an origin in the one spelling that is signed: `scheme://host[:port]` in lower case, A-labels, the
 * default port left out, IPv6 as RFC 5952 writes it. URL parsers leave exactly these alone.
 */
export function isOrigin(text: string): boolean {
  const [, scheme, address, name, port] = ORIGIN.exec(text) ?? [];
  if (Number(port) > 65535 || port === (scheme === "https" ? "443" : "80")) return false;
  if (address !== undefined) return formatIpv6(parseIpv6(address) ?? []) === address;
  // A host whose last label is a number is an IPv4 address to URL parsers, and they write it in their own way.
  const number = /(?:^|\.)(?:\d+|0x[\da-f]*)$/;
  return name !== undefined && (!number.test(name) || parseIpv4(name) !== undefined);
}
