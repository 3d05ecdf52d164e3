import { randomId } from "../links/identifiers.ts";
import { type HeldLease, holdLease } from "../links/lease.ts";
import { LinkRefused } from "../links/open-link.ts";
import { reserveBlocks } from "../links/reserve-blocks.ts";
import { streamOf } from "../links/zip.ts";
import { discard } from "../pipeline/outcome.ts";
import type { State } from "../state/contract/state.ts";
import type { UpstreamResponse } from "../upstream/contract.ts";

export interface Charge {
  readonly variant: string;
  /** SHA-256 of the delivery's token. */
  readonly token: string;
}

/** A response whose bytes are reserved before they are sent. */
export interface ChargedResponse extends UpstreamResponse, HeldLease {}

/** Charges a response to the delivery of a visit. @throws {LinkRefused} `over-budget`, and why the visit is over */
export async function chargedResponse(
  state: State,
  response: UpstreamResponse,
  { variant, token }: Charge,
): Promise<ChargedResponse> {
  const { body, tunnel } = response;
  const attempt = randomId();
  try {
    // The bytes of a WebSocket go both ways, and its end is not known.
    if (tunnel !== undefined) throw new LinkRefused("over-budget");
    const length = body?.kind === "bytes" ? body.bytes.length : body?.kind === "stream" ? (body.length ?? 0) : 0;
    const started = await state.deliver(variant, { type: "start", token, attempt, length });
    if (!started.ok) throw new LinkRefused(started.reason, started.retryAt);
  } catch (error) {
    discard(body);
    tunnel?.destroy();
    throw error;
  }
  const lease = holdLease(state, { variant, token, attempt });
  if (body?.kind !== "stream" || body.length !== undefined) return { ...response, ...lease };
  const source = body.stream;
  const stream = streamOf(reserveBlocks(state, { variant, token, attempt }, source));
  // A client that leaves before the first byte must release the upstream, too.
  stream.once("close", () => source.destroy());
  return { ...response, ...lease, body: { kind: "stream", stream, length: undefined } };
}
