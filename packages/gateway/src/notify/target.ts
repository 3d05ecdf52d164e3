/** Which addresses notifications may go to. A webhook's owner chooses its URL, so it must not reach what only the gateway can reach. */
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";

/** One address of a name. */
export interface Address {
  readonly address: string;
  /** 4 or 6. */
  readonly family: number;
}

/** What {@link targetGuard} works with. */
export interface TargetOptions {
  /** Networks in CIDR notation that are allowed although they are not public; empty: none. */
  readonly allowNetworks: readonly string[];
  /** All addresses of a name: by default what the system resolves. */
  readonly resolve?: ((name: string) => Promise<readonly Address[]>) | undefined;
}

/** The target of a webhook is refused. The text names no address, because its reader may not know the network. */
export class TargetRefused extends Error {
  /** For programs; the text may change. */
  readonly code = "TARGET_REFUSED";
}

/** Checks targets. */
export interface TargetGuard {
  /** Checks what can be seen without a network. @throws {TargetRefused} */
  check(url: string): URL;
  /** The addresses to which a connection must go, and to no other: the name may resolve anew at any time. @throws {TargetRefused} */
  addressesOf(url: string): Promise<readonly Address[]>;
}

// IANA's special-purpose registries. 168.63.129.16 is Azure's platform, which answers like a metadata service.
const NOT_PUBLIC =
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3";
// Outside of it are loopback, private and link-local addresses, and those that carry an IPv4 address.
const GLOBAL_UNICAST = "2000::/3";
const NOT_PUBLIC_V6 = "2001::/23 2001:db8::/32 2002::/16 3fff::/20";

/**
 * A guard for a set of allowed networks. Does not check that a target answers.
 *
 * @throws {Error} if a network is not in CIDR notation
 * @example
 * ```ts
 * import { targetGuard } from "@daypass/gateway/notify";
 *
 * const guard = targetGuard({ allowNetworks: ["10.0.0.0/8"] });
 * console.log(guard.check("https://10.1.2.3/hook").hostname); // 10.1.2.3
 * ```
 */
export function targetGuard({
  allowNetworks,
  resolve = (name) => lookup(name, { all: true }),
}: TargetOptions): TargetGuard {
  const allowed = networks(allowNetworks);
  const isAllowed = (address: string): boolean => allowed.check(address, familyOf(address));
  const mayReach = (address: string): boolean => isAllowed(address) || isPublic(address);

  function check(text: string): URL {
    if (!URL.canParse(text)) throw new TargetRefused("the target is not a URL");
    const url = new URL(text);
    if (url.protocol !== "https:" && url.protocol !== "http:")
      throw new TargetRefused("the target is not an https URL");
    if (url.protocol === "http:" && allowNetworks.length === 0)
      throw new TargetRefused("the target uses http: use https");
    if (url.username !== "" || url.password !== "") throw new TargetRefused("the target names a user: leave it out");
    const host = hostOf(url);
    // The URL parser has turned 2130706433, 0x7f.1 and 127.1 into 127.0.0.1.
    if (isIP(host) !== 0) expectReachable([{ address: host, family: isIP(host) }], url);
    return url;
  }

  function expectReachable(addresses: readonly Address[], { protocol }: URL): void {
    if (addresses.length === 0 || !addresses.every(({ address }) => mayReach(address))) {
      throw new TargetRefused("the target is not a public address. webhooks.allowNetworks allows others");
    }
    if (protocol === "http:" && !addresses.every(({ address }) => isAllowed(address))) {
      throw new TargetRefused("the target uses http outside of webhooks.allowNetworks: use https");
    }
  }

  return {
    check,
    async addressesOf(text) {
      const url = check(text);
      const host = hostOf(url);
      if (isIP(host) !== 0) return [{ address: host, family: isIP(host) }];
      const addresses = await resolve(host);
      expectReachable(addresses, url);
      return addresses;
    },
  };
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 4 ? "ipv4" : "ipv6";
}

function networks(list: readonly string[]): BlockList {
  const found = new BlockList();
  for (const network of list) {
    const [base = "", bits = isIP(base) === 4 ? "32" : "128"] = network.split("/");
    found.addSubnet(base, Number(bits), familyOf(base));
  }
  return found;
}

const special = networks(NOT_PUBLIC.split(" "));
const unicast = networks([GLOBAL_UNICAST]);
const specialV6 = networks(NOT_PUBLIC_V6.split(" "));

function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !special.check(address, "ipv4");
  // A zone names a link, so it is not public. An address in IPv4 form inside IPv6 is outside of global unicast.
  if (isIP(address) !== 6 || address.includes("%") || /\.|^::/.test(address)) return false;
  return unicast.check(address, "ipv6") && !specialV6.check(address, "ipv6");
}
