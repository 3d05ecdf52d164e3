import type { Permit } from "../permit.ts";
import type { Route, UpstreamRequest, UpstreamResponse } from "../upstream/contract.ts";
import type { OperationContext } from "./operation-context.ts";

/** Sends a permitted request through its route. */
export interface ForwardRequest extends Omit<UpstreamRequest, "signal"> {
  readonly operation: "forward-request";
  readonly permit: Permit;
  readonly route: Route;
}

/** @throws {Refusal} `UPSTREAM_FAILED`, `UPSTREAM_TIMEOUT`, and every error of the body */
export function forwardRequest(request: ForwardRequest, { signal }: OperationContext): Promise<UpstreamResponse> {
  return request.route.send({ ...request, signal });
}
