/**
 * The cookie of a visit to a route: proves, without the state, that its holder opened a link. Revocations still apply to it.
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Millis } from "../state/contract/deliveries.ts";

/** What the holder of a visit may open. */
export interface Visit {
  readonly link: string;
  readonly variant: string;
  /** `operator`, `key:<id>` or `token:<id>`: its present scope must cover the target. */
  readonly owner: string;
  readonly origin: string;
  /** One path, or everything below it if it ends with `/`. */
  readonly path: string;
  /** When the cookie was made, milliseconds since 1970. */
  readonly sealedAt: Millis;
  /** When the link opened, milliseconds since 1970. */
  readonly startsAt: Millis;
  /** First instant at which the visit is over, milliseconds since 1970. */
  readonly until: Millis;
  /** The recipient. */
  readonly name?: string | undefined;
  /** Networks from which the link opens; empty: from all. */
  readonly networks: readonly string[];
  /** The delivery that lasts as long as the visit. SHA-256 of its token, base64url. */
  readonly token?: string | undefined;
  /** The delivery to which bytes are charged; absent if the link does not limit them. SHA-256 of the token, base64url. */
  readonly charged?: string | undefined;
}

/** Cookies of visits begin with this name; the rest names the link, so that two links on one host do not hide each other. */
const VISIT_COOKIES = "dp-visit-";
const MAX_COOKIE = 3072;
/** A client has one cookie for each link. Further ones are planted. */
const MAX_READ = 8;

/** Seals and opens visits under a secret of the state. */
export interface VisitCookies {
  /** Returns the name and the value of the cookie. */
  seal(visit: Visit): { readonly name: string; readonly value: string };
  /** The visits that a Cookie header proves. Does not check time, origin, path or network. */
  open(cookies: readonly string[]): readonly Visit[];
}

/** The Set-Cookie header of a visit. */
export function visitCookie(cookies: VisitCookies, visit: Visit): string {
  const { name, value } = cookies.seal(visit);
  const secure = visit.origin.startsWith("https:") ? "; Secure" : "";
  return `${name}=${value}; Path=${visit.path}; Expires=${new Date(visit.until).toUTCString()}; HttpOnly; SameSite=Lax${secure}`;
}

/** Cookies with this name outlive a visit, and name the link, so that a proxy can lead to its page and not to a login. They prove nothing. */
const LINK_COOKIES = "dp-link-";
const KEPT_MS: Millis = 24 * 60 * 60 * 1000;

/** The Set-Cookie header that names the link of a visit until a day after the visit. */
export function linkCookie({ variant, path, origin, until }: Visit): string {
  const secure = origin.startsWith("https:") ? "; Secure" : "";
  const expires = new Date(until + KEPT_MS).toUTCString();
  return `${LINK_COOKIES}${variant.slice(0, 8)}=${variant}; Path=${path}; Expires=${expires}; HttpOnly; SameSite=Lax${secure}`;
}

/** The id in the latest of these cookies. Browsers send the latest one of a path last. */
export function linkOfCookies(cookies: readonly string[]): string | undefined {
  const pairs = cookies.flatMap((header) => header.split(";")).map((pair) => pair.trim());
  const ids = pairs.map((pair) => /^dp-link-\w+=([0-9A-Za-z]{1,64})$/.exec(pair)?.[1]);
  return ids.findLast((id) => id !== undefined);
}

export function visitCookies(stateKey: Uint8Array): VisitCookies {
  const mac = (payload: string): Buffer => createHmac("sha256", stateKey).update(`visit\n${payload}`).digest();

  function read(value: string): Visit | undefined {
    const dot = value.indexOf(".");
    if (dot < 0 || value.length > MAX_COOKIE) return undefined;
    const payload = value.slice(0, dot);
    const given = Buffer.from(value.slice(dot + 1), "base64url");
    const expected = mac(payload);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    // The MAC proves that this state wrote the text.
    return JSON.parse(Buffer.from(payload, "base64url").toString()) as Visit;
  }

  return {
    seal(visit) {
      const payload = Buffer.from(JSON.stringify(visit)).toString("base64url");
      return {
        name: VISIT_COOKIES + visit.variant.slice(0, 8),
        value: `${payload}.${mac(payload).toString("base64url")}`,
      };
    },
    open(cookies) {
      const own = cookies
        .flatMap((header) => header.split(";"))
        .map((pair) => pair.trim())
        .filter((pair) => pair.startsWith(VISIT_COOKIES));
      return own.slice(0, MAX_READ).flatMap((pair) => read(pair.slice(pair.indexOf("=") + 1)) ?? []);
    },
  };
}
