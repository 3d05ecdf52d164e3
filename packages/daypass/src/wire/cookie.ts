import type { SignedRequest } from "../core/contracts.ts";
import { grantId } from "../core/grant.ts";
import { malformed } from "./parameters.ts";
import { headerValues } from "./raw-target.ts";

/** The value of the one cookie with this name, or `undefined`. Two are `MALFORMED`: servers differ in which they read. */
export function cookieValue(headers: readonly (readonly [string, string])[], name: string): string | undefined {
  let found: string | undefined;
  for (const field of headerValues(headers, "cookie")) {
    for (const pair of field.split(";")) {
      const equals = pair.indexOf("=");
      if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
      if (found !== undefined) throw malformed(`cookie ${name}`, "duplicate", "one cookie");
      found = pair.slice(equals + 1).trim();
    }
  }
  return found;
}

/** Cookies that grant the same as a signed URL. Send them with `Secure` and `HttpOnly`, for the path that they are for. */
export interface SignedCookies extends Omit<SignedRequest, "url" | "method" | "headers"> {
  /** Values by name, as they must be in `Set-Cookie`. */
  readonly cookies: Readonly<Record<string, string>>;
}

export function signedCookies(fields: Omit<SignedCookies, "id">, stringToSign: string): SignedCookies {
  return { ...fields, id: grantId(stringToSign) };
}
