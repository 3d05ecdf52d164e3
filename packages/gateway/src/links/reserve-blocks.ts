import type { State } from "../state/contract/state.ts";
import { LinkRefused } from "./open-link.ts";

/** Bytes of one reservation. */
export const BLOCK: number = 1024 * 1024;

/** The response whose bytes are reserved: a variant's delivery, by the SHA-256 of its token, and the attempt that has begun. */
export interface Reservation {
  readonly variant: string;
  readonly token: string;
  readonly attempt: string;
}

/**
 * Passes on bytes whose number is not known in advance, and reserves them in blocks before they are sent. `reserved` bytes are reserved already.
 * @throws {LinkRefused} if no block is left. The head is sent by then, so only a cut connection shows that something is missing.
 */
export async function* reserveBlocks(
  state: State,
  { variant, token, attempt }: Reservation,
  source: AsyncIterable<Uint8Array>,
  reserved = 0,
): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const chunk of source) {
    sent += chunk.length;
    while (sent > reserved) {
      const result = await state.deliver(variant, { type: "reserve", token, attempt, bytes: BLOCK });
      if (!result.ok) throw new LinkRefused(result.reason);
      reserved += BLOCK;
    }
    yield chunk;
  }
}
