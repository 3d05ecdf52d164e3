import { hashOf, randomId } from "../links/identifiers.ts";
import { LinkRefused } from "../links/open-link.ts";
import type { PermittedObject } from "../permit.ts";
import type { Delivery } from "../state/contract/deliveries.ts";
import type { Variant } from "../state/contract/state.ts";
import type { ObjectInfo } from "../storage/contract/storage.ts";
import { expectLinks } from "./deliver-link.ts";
import { headObject } from "./get-object.ts";
import type { OperationContext } from "./operation-context.ts";

/** The button of a page: takes one of the deliveries of a link. */
export interface ClaimLink {
  readonly operation: "claim-link";
  readonly variant: Variant;
  readonly object: PermittedObject | undefined;
  /** Throws if the object may not be delivered. */
  readonly check?: ((info: ObjectInfo) => void) | undefined;
  readonly claimKey: string;
  readonly token: string;
  readonly address: string;
  /** Starts at once: a visit has no further step. */
  readonly isVisit: boolean;
}

/** A delivery that was claimed. */
export interface LinkClaimed {
  readonly delivery: Delivery;
}

/** @throws {LinkRefused} why no delivery is left */
export async function claimLink(request: ClaimLink, context: OperationContext): Promise<LinkClaimed> {
  const { variant, claimKey, token, address, isVisit } = request;
  const { state } = expectLinks(context);
  if (request.object !== undefined) {
    const { object, check } = request;
    await headObject({ operation: "head-object", object, check, conditions: undefined, range: undefined }, context);
  }
  const start = isVisit ? { attempt: randomId(), length: 0 } : undefined;
  const ids = { claim: hashOf(claimKey), token: hashOf(token) };
  const result = await state.deliver(variant.id, { type: "claim", ...ids, address, start });
  if (!result.ok) throw new LinkRefused(result.reason, result.retryAt);
  return { delivery: result.delivery };
}
