import type { WireRequest } from "daypass";
import { textAnswer } from "../protocols/text-answer.ts";
import type { Answer } from "./outcome.ts";

/** What a probe is told. */
export interface HealthState {
  /** Why no new work is welcome, in a word; `undefined` where it is. Asked only by the probe that tells it. */
  readonly obstacle: () => string | undefined;
  /** The metrics as text; left out where the operator does not show them here. */
  readonly metrics?: (() => string) | undefined;
}

/**
 * Answers the probes under `/-/`, for any Host: a load balancer asks by address. `undefined` for every other request. They tell
 * whether the process lives and takes work and, where the operator wants it, how much.
 */
export function health({ method, target }: WireRequest, { obstacle, metrics }: HealthState): Answer | undefined {
  if (!target.startsWith("/-/") || (method !== "GET" && method !== "HEAD")) return undefined;
  if (target === "/-/healthz") return text(200, "ok\n");
  if (target === "/-/readyz") return readiness(obstacle());
  if (target === "/-/metrics" && metrics !== undefined) {
    return textAnswer({ status: 200, type: "text/plain; version=0.0.4; charset=utf-8", text: metrics() });
  }
  return undefined;
}

function readiness(obstacle: string | undefined): Answer {
  return obstacle === undefined ? text(200, "ready\n") : text(503, `${obstacle}\n`);
}

function text(status: number, body: string): Answer {
  return textAnswer({ status, type: "text/plain; charset=utf-8", text: body });
}
