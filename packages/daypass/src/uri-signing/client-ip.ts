import { parseAddress } from "../ip.ts";

/**
 * Whether an address lies in the network of a cdniip claim: "represented in CIDR notation, with dotted decimal format for
 * IPv4 addresses or canonical text representation for IPv6 addresses". The example of the standard has brackets around it
 * and bits behind its prefix, so these mean nothing here.
 */
export function isInsideClaim(address: readonly number[] | undefined, claim: string): boolean {
  const [, text = "", length] = /^\[?([0-9A-Fa-f:.]+)(?:\/([0-9]{1,3}))?\]?$/.exec(claim) ?? [];
  const network = parseAddress(text);
  if (address === undefined || network === undefined || address.length !== network.length) return false;
  const bits = Number(length ?? network.length * 8);
  if (bits > network.length * 8) return false;
  return network.every((byte, i) => {
    const mask = (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 255;
    return (byte & mask) === ((address[i] as number) & mask);
  });
}
