import type { WireRequest } from "daypass";

/** The bucket that a host names in virtual-host style, as the verifiers find it; empty for path style. */
export function virtualBucket(origins: readonly string[]): (authority: string) => string {
  const hosts = origins.map((origin) => origin.replace(/^https?:\/\//, ""));
  const exact = new Set(hosts.filter((host) => !host.startsWith("*")));
  const suffixes = hosts.filter((host) => host.startsWith("*")).map((host) => host.slice(1));
  return (authority) => {
    const host = authority.toLowerCase();
    const suffix = exact.has(host) ? undefined : suffixes.find((candidate) => host.endsWith(candidate));
    return suffix === undefined ? "" : host.slice(0, -suffix.length);
  };
}

/**
 * The bucket that a request is addressed to, before anything of it was verified: good for the rules by which a browser asks, and for
 * nothing else. Empty where there is none.
 */
export function addressedBucket(origins: readonly string[]): (request: WireRequest) => string {
  const byHost = virtualBucket(origins);
  return ({ target, authority }) => {
    const virtual = byHost(authority);
    if (virtual !== "") return virtual;
    const [, segment = ""] = /^\/([^/?]*)/.exec(target) ?? [];
    try {
      return decodeURIComponent(segment);
    } catch {
      return "";
    }
  };
}
