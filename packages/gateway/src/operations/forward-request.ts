import type { Permit } from "../permit.ts";
import type { Route, UpstreamRequest, UpstreamResponse } from "../upstream/contract.ts";
import { type Charge, type ChargedResponse, chargedResponse } from "./charged-response.ts";
import { expectLinks } from "./deliver-link.ts";
import type { OperationContext } from "./operation-context.ts";

/** Sends a permitted request through its route. */
export interface ForwardRequest extends Omit<UpstreamRequest, "signal"> {
  readonly operation: "forward-request";
  readonly permit: Permit;
  readonly route: Route;
  /** The visit to which the bytes of the response are charged; `undefined` if nothing limits them. */
  readonly charge: Charge | undefined;
}

/** @throws {Refusal} `UPSTREAM_FAILED`, `UPSTREAM_TIMEOUT`, `LINK_CLOSED`, and every error of the body */
export function forwardRequest(
  request: ForwardRequest,
  context: OperationContext,
): Promise<UpstreamResponse | ChargedResponse> {
  const { route, charge } = request;
  const response = route.send({ ...request, signal: context.signal });
  if (charge === undefined) return response;
  return response.then((received) => chargedResponse(expectLinks(context).state, received, charge));
}
