import { isDaypassError, type Verifier, type WireRequest } from "../src/index.ts";

/** The instant at which the tests of the edge tokens happen. */
export const NOW = new Date("2026-01-02T03:04:05Z");
export const clock = (): Date => NOW;

/** A `GET` of a URL, split by text. */
export function get(url: string, more: Partial<WireRequest> = {}): WireRequest {
  const [, authority = "", target = ""] = /^https?:\/\/([^/]+)(\/.*)$/.exec(url) ?? [];
  return { method: "GET", target, authority, headers: [], ...more };
}

/** `"accepted"`, or the code of the refusal. */
export async function outcome(verifier: Verifier, request: WireRequest): Promise<string> {
  try {
    await verifier.verify(request);
    return "accepted";
  } catch (error) {
    return isDaypassError(error) ? error.code : String(error);
  }
}
