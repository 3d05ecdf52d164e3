import { isDaypassError } from "daypass";
import { s3Verifier } from "daypass/s3";
import { urlVerifier } from "daypass/url";

/** How an origin is written that requests are compared with. */
export const ORIGIN = "scheme://host[:port] in lower case, without path and default port";

/**
 * Why nothing can be served by these origins; `undefined` where it can. Asks the verifiers themselves, that of Daypass URLs for what
 * has no `*`: it signs an origin that is written out.
 */
export function originFault(origins: readonly string[]): string | undefined {
  const exact = origins.filter((origin) => !origin.includes("*"));
  try {
    if (origins.length > 0) s3Verifier({ credentials: () => undefined, origins });
    if (exact.length > 0) urlVerifier({ keys: [], origins: exact });
    return undefined;
  } catch (error) {
    if (isDaypassError(error)) return error.message;
    throw error;
  }
}

/** As a browser writes an origin into a header; `undefined` for what is none. One of another scheme (`capacitor://`) it writes as it is. */
export function standardSpelling(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { origin, protocol, host } = new URL(text);
  return origin === "null" ? `${protocol}//${host}` : origin;
}

/** What to do about an origin in another spelling. */
export function respelled(origin: string): string {
  const spelling = standardSpelling(origin);
  return spelling === undefined || spelling === origin ? "correct it" : `write ${JSON.stringify(spelling)}`;
}
