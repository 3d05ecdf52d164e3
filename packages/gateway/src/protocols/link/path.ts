/** The addresses of links: `/l/<id or slug>`, below it the path of an object, and `/d/<token>`. */
import { LinkRefused } from "../../links/open-link.ts";

/** What an address names. */
export type LinkPath =
  | { readonly kind: "link"; readonly address: string; readonly rest: string | undefined }
  | { readonly kind: "delivery"; readonly token: string };

/** Before the address of a link on the host of a route. The proxy of a protected host passes everything below it to the gateway. */
export const LINK_BASE = "/-/daypass";

/** Whether a target belongs to a link. A bucket name has at least 3 characters, so no bucket is called `l` or `d`. */
export function isLinkTarget(target: string): boolean {
  return /^\/[ld]\//.test(target);
}

/** Whether a prefix of paths has targets of links below it. */
export function hasLinkTargets(prefix: string): boolean {
  return prefix === "/" || isLinkTarget(prefix);
}

/** Reads the path of a target. @throws {LinkRefused} `unknown` for a path that two servers may read in two ways */
export function readLinkPath(target: string): LinkPath {
  const [path = ""] = target.split("?", 1);
  const [, kind, name = "", rest] = /^\/([ld])\/([^/]*)(?:\/(.*))?$/s.exec(path) ?? [];
  if (kind === "d" && rest === undefined) return { kind: "delivery", token: name };
  if (kind !== "l") throw new LinkRefused("unknown");
  return { kind: "link", address: name, rest: rest === undefined ? undefined : decodeRest(rest) };
}

function decodeRest(rest: string): string {
  let key: string;
  try {
    key = rest.split("/").map(decodeURIComponent).join("/");
  } catch {
    throw new LinkRefused("unknown");
  }
  // An encoded slash, a dot segment or a control would name another object to the next reader.
  const isAmbiguous = /%2f|%5c/i.test(rest) || /(?:^|\/)\.{1,2}(?:\/|$)/.test(key) || /[\p{Cc}\\]/u.test(key);
  if (isAmbiguous) throw new LinkRefused("unknown");
  return key;
}

/** The query of a target; the first of repeated names. */
export function readQuery(target: string): URLSearchParams {
  return new URLSearchParams(target.split("?").slice(1).join("?"));
}
