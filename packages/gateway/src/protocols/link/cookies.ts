/** The cookies of a link, which browsers send to its path only. */
import type { WireRequest } from "daypass";
import type { Task } from "../protocol.ts";
import type { Asked } from "./asked.ts";

/** The name of the cookie of a delivery. */
export const VISIT_COOKIE = "dp-visit";
/** The name of the cookie of a browser that gave the password. */
export const BROWSER_COOKIE = "dp-browser";
// The cookie ends with the password, so its age is the most that browsers allow.
const BROWSER_COOKIE_SECONDS = 400 * 24 * 60 * 60;

/** Gives the cookie to a new browser that gave the password. */
export function withBrowserCookie(asked: Asked, task: Task): Task {
  const { grant, isPage } = asked;
  if (grant.browser === undefined || !isPage) return task;
  const age = `Max-Age=${BROWSER_COOKIE_SECONDS}`;
  const cookie = `${BROWSER_COOKIE}=${grant.browser}; Path=${grant.path}; ${age}; HttpOnly; SameSite=Lax${secureOf(asked)}`;
  return {
    ...task,
    present(result, exchange) {
      const answer = task.present(result, exchange);
      return { ...answer, headers: [...answer.headers, "set-cookie", cookie] };
    },
  };
}

/** The attribute of a cookie that no connection without TLS may carry. */
function secureOf({ grant, options }: Asked): string {
  return (grant.site ?? options.origin).startsWith("https:") ? "; Secure" : "";
}

/** A browser that reloads the page, or goes back to it, finds its delivery again. */
export function visitCookie(asked: Asked, token: string, until: number): string {
  const age = `Expires=${new Date(until).toUTCString()}`;
  return `${VISIT_COOKIE}=${token}; Path=${asked.grant.path}; ${age}; HttpOnly; SameSite=Lax${secureOf(asked)}`;
}

/** The value of a cookie. Two cookies of the name do not count: only an attacker plants a second. */
export function cookieOf({ headers }: WireRequest, name: string): string | undefined {
  const pairs = headers.filter(([name]) => name.toLowerCase() === "cookie").flatMap(([, value]) => value.split(";"));
  const values = pairs.map((pair) => pair.trim()).filter((pair) => pair.startsWith(`${name}=`));
  return values.length === 1 ? values[0]?.slice(name.length + 1) : undefined;
}
