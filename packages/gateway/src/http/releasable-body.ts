/**
 * Bodies whose memory can be given back before the garbage collector comes for it. What a socket brings is outside of the heap,
 * and every 30 MB of it cost a full collection, which went through all that the process holds.
 */

const RELEASE = Symbol("release");

/** A body that takes memory back. Whatever wraps it does not, unless it says so with {@link releasingThrough}. */
interface ReleasableBody extends AsyncIterable<Uint8Array> {
  [RELEASE](bytes: Uint8Array): void;
}

/** Tells a body that some of its bytes, and all that came before them, will never be read again. */
export type Release = (bytes: Uint8Array) => void;

/**
 * Makes a body one that takes memory back. Only for whoever owns what the body hands out: others may still look at theirs.
 *
 * `release` is called with bytes of the chunk that was handed out last, or with a part of it.
 */
export function releasable(body: AsyncIterable<Uint8Array>, release: Release): AsyncIterable<Uint8Array> {
  const made: ReleasableBody = { [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](), [RELEASE]: release };
  return made;
}

/**
 * A body made of views into the chunks of another, in their order and none twice, whose maker looks no more at what it has
 * handed out.
 */
export function releasingThrough(
  source: AsyncIterable<Uint8Array>,
  body: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  return isReleasable(source) ? releasable(body, releaseOf(source)) : body;
}

/**
 * For the one reader of a body: called with what the body has handed out last, once it is copied and before more is asked for.
 * The bytes are gone after the call. Does nothing for a body that keeps its memory.
 */
export function releaseOf(body: AsyncIterable<Uint8Array>): Release {
  return isReleasable(body) ? (bytes) => body[RELEASE](bytes) : keep;
}

function keep(): void {}

function isReleasable(body: AsyncIterable<Uint8Array>): body is ReleasableBody {
  return RELEASE in body;
}
