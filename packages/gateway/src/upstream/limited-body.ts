import { Refusal } from "../pipeline/refusal.ts";

export interface BodyLimit {
  /** Bytes. */
  readonly max: number;
  /** Whether the end of the body decides: then the last chunk waits until all of it was checked. */
  readonly isDigested: boolean;
}

/**
 * Passes a body on to an upstream. A body with a granted digest is never complete before it was checked: an upstream that has read a whole
 * request acts on it.
 * @throws {Refusal} `TOO_LARGE`
 */
export async function* limitedBody(
  body: AsyncIterable<Uint8Array>,
  { max, isDigested }: BodyLimit,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  let last: Uint8Array | undefined;
  for await (const chunk of body) {
    received += chunk.length;
    if (received > max)
      throw new Refusal("TOO_LARGE", `the body is larger than ${max} bytes. Send a smaller one`, { limit: max });
    if (isDigested) {
      if (last !== undefined) yield last;
      last = chunk;
    } else yield chunk;
  }
  if (last !== undefined) yield last;
}
