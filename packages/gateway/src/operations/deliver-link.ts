import { randomId } from "../links/identifiers.ts";
import { type HeldLease, holdLease } from "../links/lease.ts";
import { LinkRefused } from "../links/open-link.ts";
import { discard } from "../pipeline/outcome.ts";
import type { Command, Covered, Start } from "../state/contract/deliveries.ts";
import type { Variant } from "../state/contract/state.ts";
import { type GetObject, getObject, type ObjectRead } from "./get-object.ts";
import type { OperationContext } from "./operation-context.ts";

/** One response of a delivery: the bytes of an object, or of a part of it. */
export interface DeliverLink extends Omit<GetObject, "operation"> {
  readonly operation: "deliver-link";
  readonly variant: Variant;
  /** The delivery that continues, or the claim that begins one. */
  readonly by:
    | { readonly token: string }
    | { readonly claim: string; readonly token: string; readonly address: string };
  /** A visit opens many objects, so its delivery pins none. */
  readonly isVisit: boolean;
  /** What another server may send of the object, which reads the request by its own rules; `undefined` if the gateway sends. */
  readonly handsOver: "range" | "whole" | undefined;
}

/** An object that a delivery reads. */
export interface ObjectDelivered extends ObjectRead, Pick<HeldLease, "settle"> {
  /** Absent if nothing is sent. */
  readonly onRunning?: HeldLease["onRunning"];
  /** Reports that another server sends the bytes: all are spent, and whether they arrived is unknown. */
  settleHandedOver(): void;
}

/**
 * Opens the object, and starts the delivery before anything is sent. A response without bytes starts nothing.
 * @throws {LinkRefused} why the delivery cannot continue
 */
export async function deliverLink(request: DeliverLink, context: OperationContext): Promise<ObjectDelivered> {
  const { variant, by, isVisit, handsOver } = request;
  const read = await getObject({ ...request, operation: "get-object" }, context);
  const { info, range } = read;
  if (read.notModified) return { ...read, settle: () => undefined, settleHandedOver: () => undefined };
  try {
    const target = `${request.object.bucket}/${request.object.key}`;
    const { state } = expectLinks(context);
    const attempt = randomId();
    const part: Covered = range === undefined ? [0, info.size] : [range.start, range.end + 1];
    const length = handsOver === "whole" ? info.size : part[1] - part[0];
    const sent = isVisit || handsOver !== undefined ? undefined : part;
    const object = isVisit ? undefined : { etag: info.etag, size: info.size };
    const start: Start = { attempt, length, range: sent, object, target };
    const command: Command = "claim" in by ? { type: "claim", ...by, start } : { type: "start", ...by, ...start };
    const result = await state.deliver(variant.id, command);
    if (!result.ok) throw new LinkRefused(result.reason, result.retryAt);
    const lease = holdLease(state, { variant: variant.id, token: result.delivery.token, attempt, range: sent });
    return { ...read, ...lease, settleHandedOver: () => lease.settle(length) };
  } catch (error) {
    discard(read.body);
    throw error;
  }
}

/** The links of a gateway that has them. */
export function expectLinks({ links }: OperationContext): NonNullable<OperationContext["links"]> {
  if (links === undefined) throw new TypeError("a link was opened in a gateway without a state");
  return links;
}
