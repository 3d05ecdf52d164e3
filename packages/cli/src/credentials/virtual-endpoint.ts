import { isIP } from "node:net";
import { DaypassError } from "daypass";

/** Refuses an IP address for virtual addressing. The library refuses it too, with the message for every invalid endpoint. */
export function expectHostName(endpoint: unknown, addressing: unknown): void {
  if (addressing !== "virtual" || typeof endpoint !== "string" || !URL.canParse(endpoint)) return;
  if (isIP(new URL(endpoint).hostname.replace(/^\[|\]$/g, "")) === 0) return;
  throw new DaypassError(
    "INVALID_INPUT",
    "expected an endpoint with a host name for virtual addressing, found an IP address, which cannot follow a bucket's name: use path addressing, or a host name",
  );
}
