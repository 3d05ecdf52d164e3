import { DaypassError } from "./errors.ts";

/** The configured origin that an authority selected. */
export interface SelectedOrigin {
  readonly origin: string;
  readonly wildcard: string;
}

interface OriginEntry {
  readonly origin: string;
  readonly scheme: "http" | "https";
  /** Lower-case `host[:port]` without the scheme's default port; with a leading `.` for a wildcard. */
  readonly authority: string;
}

const ORIGIN = /^(https?):\/\/(\*\.)?([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/;

/**
 * Prepares the choice among a verifier's origins. The request's authority selects one; its scheme comes from the
 * configuration and never from a header that a client or a proxy could set.
 *
 * `wildcards: true` also accepts `https://*.s3.example.com`, where `*` stands for one or more host labels.
 */
export function originSelector(
  origins: readonly string[],
  options: { readonly wildcards: boolean },
): (authority: string) => SelectedOrigin {
  const exact = new Map<string, SelectedOrigin>();
  const wildcards: OriginEntry[] = [];
  for (const entry of origins.map((origin) => parseOrigin(origin, options.wildcards))) {
    if (entry.authority.startsWith(".")) {
      wildcards.push(entry);
      continue;
    }
    for (const authority of spellings(entry)) {
      if (exact.has(authority)) {
        throw new DaypassError(
          "INVALID_INPUT",
          `expected origins that a Host header can tell apart, found two for ${authority}: keep one scheme`,
        );
      }
      exact.set(authority, { origin: entry.origin, wildcard: "" });
    }
  }
  if (exact.size === 0 && wildcards.length === 0) {
    throw new DaypassError(
      "INVALID_INPUT",
      "expected at least one origin such as https://files.example.com, found none",
    );
  }
  return (authority) => {
    const found =
      exact.get(authority) ?? exact.get(authority.toLowerCase()) ?? matchWildcard(authority.toLowerCase(), wildcards);
    if (found !== undefined) return found;
    throw new DaypassError(
      "WRONG_ORIGIN",
      `expected the Host of a configured origin (${origins.join(", ")}); add the origin that clients use, or send the right Host`,
      { details: { part: "host" } },
    );
  };
}

function parseOrigin(origin: string, wildcards: boolean): OriginEntry {
  const match = ORIGIN.exec(origin);
  const [, scheme, star, host, port] = match ?? [];
  if (
    match === null ||
    host === undefined ||
    (star !== undefined && !wildcards) ||
    host.endsWith(".") ||
    Number(port ?? 0) > 65535
  ) {
    throw new DaypassError(
      "INVALID_INPUT",
      `expected an origin of the form scheme://host[:port] in lower case without path${wildcards ? ", the host may start with *." : ""}; found ${JSON.stringify(origin)}`,
    );
  }
  if (port !== undefined && (port === DEFAULT_PORT[scheme as "http" | "https"] || port.startsWith("0"))) {
    throw new DaypassError(
      "INVALID_INPUT",
      `expected an origin without its default port, found ${JSON.stringify(origin)}: leave :${port} out`,
    );
  }
  return {
    origin,
    scheme: scheme as "http" | "https",
    authority: `${star === undefined ? "" : "."}${host}${port === undefined ? "" : `:${port}`}`,
  };
}

const DEFAULT_PORT = { http: "80", https: "443" } as const;

// `Host: example.com:443` is a legal spelling of https://example.com.
function spellings(entry: OriginEntry): readonly string[] {
  return hasPort(entry.authority)
    ? [entry.authority]
    : [entry.authority, `${entry.authority}:${DEFAULT_PORT[entry.scheme]}`];
}

function hasPort(authority: string): boolean {
  return /:[0-9]+$/.test(authority) && !authority.endsWith("]");
}

function matchWildcard(authority: string, entries: readonly OriginEntry[]): SelectedOrigin | undefined {
  for (const entry of entries) {
    for (const suffix of spellings(entry)) {
      const wildcard = authority.slice(0, -suffix.length);
      if (authority.endsWith(suffix) && /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(wildcard)) {
        return { origin: entry.origin.replace("*", wildcard), wildcard };
      }
    }
  }
  return undefined;
}
