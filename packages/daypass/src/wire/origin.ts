import { invalidInput, refusal } from "../core/errors.ts";

/** The configured origin that an authority selected. */
export interface SelectedOrigin {
  readonly origin: string;
  readonly wildcard: string;
}

const ORIGIN = /^(https?):\/\/(\*(?=\.[a-z0-9])|(?=[a-z0-9[]))([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?$/;
// Buckets of Google, and old ones of AWS, have underscores.
const LABELS = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/**
 * Prepares the choice among a verifier's origins. The request's authority selects one; its scheme comes from the
 * configuration and never from a header that a client or a proxy could set.
 *
 * `wildcards: true` also accepts `https://*.s3.example.com`, where `*` stands for one or more host labels.
 */
export function originSelector(
  origins: readonly string[],
  { wildcards }: { readonly wildcards?: true },
): (authority: string) => SelectedOrigin {
  // JavaScript callers may omit them.
  if (!Array.isArray(origins) || origins.length === 0)
    throw invalidInput("origins", 'a list such as ["https://api.example.com"]', origins?.length ? origins : undefined);
  const exact = new Map<string, SelectedOrigin>();
  const suffixes = new Map<string, SelectedOrigin>();
  // The longest first: the text for `*` is a bucket, in any order of the origins.
  for (const given of [...origins].sort((a, b) => b.length - a.length)) {
    // Browsers show an origin with a slash at its end.
    const origin = String(given).replace(/\/$/, "");
    const [, scheme, star, host = ".", port] = ORIGIN.exec(origin) ?? [];
    const usual = scheme === "https" ? "443" : "80";
    if ((star && !wildcards) || host.endsWith(".") || port === usual || Number(port) > 65535) {
      const form = `scheme://${wildcards ? "[*.]" : ""}host[:port] in lower case, no default port`;
      throw invalidInput("origins", form, given);
    }
    // `Host: example.com:443` is a legal spelling of https://example.com.
    for (const authority of port ? [`${host}:${port}`] : [host, `${host}:${usual}`]) {
      const known = star ? suffixes : exact;
      if (known.has(authority)) throw invalidInput("origins", "each Host once", authority);
      known.set(authority, { origin, wildcard: "" });
    }
  }
  return (authority) => exact.get(authority) ?? exact.get(authority.toLowerCase()) ?? select(authority.toLowerCase());

  function select(authority: string): SelectedOrigin {
    for (const [suffix, { origin }] of suffixes) {
      const wildcard = authority.slice(0, -suffix.length);
      if (authority.endsWith(suffix) && LABELS.test(wildcard))
        return { origin: origin.replace("*", wildcard), wildcard };
    }
    throw refusal("WRONG_ORIGIN", `the Host ${authority} is not one of the origins ${origins}`, { part: "host" });
  }
}

// Web runtimes have `URL`; a bare engine such as QuickJS does not. The library is compiled without the types of a runtime.
declare const URL: new (url: string) => { readonly host: string };

/**
 * The authority of a URL as clients send it: lower case, without a default port, and an IP address in its one spelling, as they make
 * `127.0.0.1` of `127.1` and would sign nothing anew. The empty text where they refuse it.
 */
export function urlHost(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return "";
  }
}
