import { expect } from "vitest";
import { type ErrorCode, isDaypassError, type SignedRequest, type WireRequest } from "../src/index.ts";

/** The wire request that a holder of a signed request sends. Splits by text, as a URL parser would change the target. */
export function wireRequest(link: SignedRequest): WireRequest {
  const [, authority, target] = /^https?:\/\/([^/]+)(\/.*)$/.exec(link.url) as unknown as [string, string, string];
  return {
    method: link.method,
    target,
    authority,
    headers: Object.entries(link.headers),
    remoteAddress: "203.0.113.9",
  };
}

/** Expects a `DaypassError`, with this code if one is given. */
export async function expectRefusal(promise: Promise<unknown>, code?: ErrorCode): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(isDaypassError(error), `expected a refusal, got ${String(error)}`).toBe(true);
  if (code !== undefined) expect((error as { code?: unknown }).code).toBe(code);
}
