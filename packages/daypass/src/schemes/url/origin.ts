import { formatIpv6, parseIpv4, parseIpv6 } from "../../wire/ip.ts";

// In front of the host stands what none has: an empty label, or one that begins or ends with "-".
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
