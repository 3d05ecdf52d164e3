import type { WireRequest } from "daypass";
import { textAnswer } from "../protocols/text-answer.ts";
import type { Answer } from "./outcome.ts";

/** What a probe is told. */
export interface HealthState {
  /** New work is welcome. */
  readonly ready: boolean;
  /** The metrics as text; left out where the operator does not show them here. */
  readonly metrics?: (() => string) | undefined;
}

/**
 * Answers the probes under `/-/`, for any Host: a load balancer asks by address. `undefined` for every other request. They tell
 * whether the process lives and takes work and, where the operator wants it, how much.
 */
export function health({ method, target }: WireRequest, { ready, metrics }: HealthState): Answer | undefined {
  if (!target.startsWith("/-/") || (method !== "GET" && method !== "HEAD")) return undefined;
  if (target === "/-/healthz") return text(200, "ok\n");
  if (target === "/-/readyz") return ready ? text(200, "ready\n") : text(503, "draining\n");
  if (target === "/-/metrics" && metrics !== undefined) {
    return textAnswer({ status: 200, type: "text/plain; version=0.0.4; charset=utf-8", text: metrics() });
  }
  return undefined;
}

function text(status: number, body: string): Answer {
  return textAnswer({ status, type: "text/plain; charset=utf-8", text: body });
}
