import type { WireRequest } from "daypass";

/** The very URL that the client used, without its query. What is in front of the gateway may speak TLS in its place. */
export function locationOf({ target, authority }: WireRequest, origins: readonly string[]): string {
  const scheme = origins.some((origin) => origin.startsWith("https:") && covers(origin, authority)) ? "https" : "http";
  return `${scheme}://${authority}${target.replace(/\?.*/s, "")}`;
}

function covers(origin: string, authority: string): boolean {
  const host = origin.replace(/^https:\/\//, "").toLowerCase();
  // `Host: example.com:443` is a legal spelling of https://example.com.
  const asked = authority.toLowerCase();
  return [asked, asked.replace(/:443$/, "")].some(
    (name) => host === name || (host.startsWith("*") && name.endsWith(host.slice(1))),
  );
}
