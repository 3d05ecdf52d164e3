import type { WireRequest } from "daypass";

/**
 * Returns the bucket that a host names in virtual-host style, as the verifiers find it: empty for path style, `undefined` for a host without
 * a configured origin.
 */
export function virtualBucket(origins: readonly string[]): (authority: string) => string | undefined {
  const exact = new Set<string>();
  const suffixes: string[] = [];
  // The longest suffix first, as in the verifiers: with a shorter one, the rest of the host would become part of the bucket's name.
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
 * Returns the bucket that an unverified request is addressed to; empty if it names none. Only for cross-origin rules, which need no
 * verification.
 */
export function addressedBucket(origins: readonly string[]): (request: WireRequest) => string {
  const byHost = virtualBucket(origins);
  return ({ target, authority }) => {
    const virtual = byHost(authority);
    if (virtual !== undefined && virtual !== "") return virtual;
    return firstSegment(target) ?? "";
  };
}

/** Returns the first segment of a path, decoded once; `undefined` if its escapes are invalid. */
export function firstSegment(target: string): string | undefined {
  const [, segment = ""] = /^\/([^/?]*)/.exec(target) ?? [];
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
