import { formatIpv6, parseAddress } from "../ip.ts";

const ORIGIN = /^(https?):\/\/([a-z0-9.-]+|\[[0-9a-f:]+\])(?::([1-9][0-9]{0,4}))?$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/**
 * Whether a text is an origin in the one spelling that is signed: `scheme://host[:port]` in lower case, A-labels, the
 * default port left out, IPv6 as RFC 5952 writes it. URL parsers leave exactly these alone.
 */
export function isOrigin(text: string): boolean {
  const [, scheme, host, port] = ORIGIN.exec(text) ?? [];
  if (host === undefined || Number(port ?? 1) > 65535) return false;
  if (port === (scheme === "https" ? "443" : "80")) return false;
  if (host.startsWith("[")) {
    const address = host.slice(1, -1);
    const bytes = parseAddress(address);
    return bytes?.length === 16 && formatIpv6(bytes) === address;
  }
  const labels = host.split(".");
  if (!labels.every((label) => LABEL.test(label))) return false;
  // A host whose last label is a number is an IPv4 address to URL parsers, and they write it in their own way.
  return !/^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) as string) || parseAddress(host) !== undefined;
}
