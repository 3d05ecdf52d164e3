import type { WireRequest } from "daypass";
import { textAnswer } from "../protocols/text-answer.ts";
import type { Answer } from "./outcome.ts";

/** What a probe is told. */
export interface HealthState {
  /** New work is welcome. */
  readonly ready: boolean;
}

/**
 * Answers the probes under `/-/`, for any Host: a load balancer asks by address. `undefined` for every other request. They tell
 * only whether the process lives and takes work.
 */
export function health({ method, target }: WireRequest, { ready }: HealthState): Answer | undefined {
  if (!target.startsWith("/-/") || (method !== "GET" && method !== "HEAD")) return undefined;
  if (target === "/-/healthz") return text(200, "ok\n");
  if (target === "/-/readyz") return ready ? text(200, "ready\n") : text(503, "draining\n");
  return undefined;
}

function text(status: number, body: string): Answer {
  return textAnswer({ status, type: "text/plain; charset=utf-8", text: body });
}
