import type { WireRequest } from "daypass";

/**
 * The bucket that a host names in virtual-host style, as the verifiers find it; empty for path style, and `undefined` for a host
 * of no configured origin.
 */
export function virtualBucket(origins: readonly string[]): (authority: string) => string | undefined {
  const exact = new Set<string>();
  const suffixes: string[] = [];
  // The longest first, as the verifiers have it: by a shorter one another bucket could have a name that holds the rest of the host.
  for (const origin of [...origins].sort((a, b) => b.length - a.length)) {
    const host = origin.replace(/^https?:\/\//, "");
    const usual = `:${origin.startsWith("https:") ? 443 : 80}`;
    // `Host: example.com:443` is a legal spelling of https://example.com.
    for (const spelling of /:\d+$/.test(host) ? [host] : [host, host + usual]) {
      if (spelling.startsWith("*")) suffixes.push(spelling.slice(1));
      else exact.add(spelling);
    }
  }
  return (authority) => {
    const host = authority.toLowerCase();
    if (exact.has(host)) return "";
    const suffix = suffixes.find((candidate) => host.endsWith(candidate) && host.length > candidate.length);
    return suffix === undefined ? undefined : host.slice(0, -suffix.length);
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
    if (virtual !== undefined && virtual !== "") return virtual;
    return firstSegment(target) ?? "";
  };
}

/** The first segment of a path, decoded once; `undefined` where its escapes are none. */
export function firstSegment(target: string): string | undefined {
  const [, segment = ""] = /^\/([^/?]*)/.exec(target) ?? [];
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
