import { isIP } from "node:net";
import { DaypassError } from "daypass";

/** Refuses an IP address for virtual addressing. The library refuses it too, with the message for every invalid endpoint. */
export function expectHostName(endpoint: unknown, addressing: unknown): void {
  if (addressing !== "virtual" || typeof endpoint !== "string" || !URL.canParse(endpoint)) return;
  const { hostname } = new URL(endpoint);
  if (isIP(hostname.replace(/^\[|\]$/g, "")) === 0) return;
  throw new DaypassError(
    "INVALID_INPUT",
    `the host of endpoint is the IP address ${hostname}, which cannot follow a bucket's name. Use path addressing, or a host name`,
  );
}
