import { randomId } from "../links/identifiers.ts";
import { holdLease } from "../links/lease.ts";
import { LinkRefused } from "../links/open-link.ts";
import { discard } from "../pipeline/outcome.ts";
import type { Command, Start } from "../state/contract/deliveries.ts";
import type { Variant } from "../state/contract/state.ts";
import { type GetObject, getObject, type ObjectRead } from "./get-object.ts";
import type { OperationContext } from "./operation-context.ts";

/** One response of a delivery: the bytes of an object, or of a part of it. */
export interface DeliverLink extends Omit<GetObject, "operation"> {
  readonly operation: "deliver-link";
  readonly variant: Variant;
  /** The delivery that goes on, or the claim that begins one. */
  readonly by:
    | { readonly token: string }
    | { readonly claim: string; readonly token: string; readonly address: string };
  /** A visit opens many objects, so its delivery pins none. */
  readonly isVisit: boolean;
}

/** An object that a delivery reads. */
export interface ObjectDelivered extends ObjectRead {
  /** Reports the bytes that were handed to the socket. */
  settle(bytes: number): void;
  /** Reports that another server sends the bytes: all are spent, and whether they arrived is unknown. */
  settleHandedOver(): void;
}

/**
 * Opens the object, and starts the delivery before anything is sent. A response without bytes starts nothing.
 * @throws {LinkRefused} why the delivery cannot go on
 */
export async function deliverLink(request: DeliverLink, context: OperationContext): Promise<ObjectDelivered> {
  const { variant, by, isVisit } = request;
  const read = await getObject({ ...request, operation: "get-object" }, context);
  const { info, range } = read;
  if (read.notModified) return { ...read, settle: () => undefined, settleHandedOver: () => undefined };
  try {
    const target = `${request.object.bucket}/${request.object.key}`;
    const { state } = expectLinks(context);
    const attempt = randomId();
    const length = range === undefined ? info.size : range.end - range.start + 1;
    const object = isVisit ? undefined : { etag: info.etag, size: info.size };
    const start: Start = { attempt, length, object, target };
    const command: Command = "claim" in by ? { type: "claim", ...by, start } : { type: "start", ...by, ...start };
    const result = await state.deliver(variant.id, command);
    if (!result.ok) throw new LinkRefused(result.reason, result.retryAt);
    const end = holdLease(state, { variant: variant.id, token: result.delivery.token, attempt });
    const settle = (sent: number): void => end(sent, isVisit ? undefined : (range?.start ?? 0));
    return { ...read, settle, settleHandedOver: () => end(length, undefined) };
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
