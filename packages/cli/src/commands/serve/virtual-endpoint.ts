import { isIP } from "node:net";
import { DaypassError } from "daypass";

/**
 * Refuses an IP address where the bucket is to stand in the host. The library does so as well, in the words for every endpoint that is
 * none, and this one looks like one.
 */
export function expectHostName(endpoint: string | undefined, addressing: string | undefined): void {
  if (addressing !== "virtual" || endpoint === undefined || !URL.canParse(endpoint)) return;
  if (isIP(new URL(endpoint).hostname.replace(/^\[|\]$/g, "")) === 0) return;
  throw new DaypassError(
    "INVALID_INPUT",
    "expected an endpoint with a host name for virtual addressing, found an IP address, which cannot follow a bucket's name: use path addressing, or a host name",
  );
}
