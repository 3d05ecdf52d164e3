/**
 * Bodies whose memory can be freed before garbage collection. The chunks of a socket lie outside of the heap, and every 30 MB of them
 * caused a full collection.
 */

const RELEASE = Symbol("release");

/** A body that frees memory. A wrapper does not, except with {@link releasingThrough}. */
interface ReleasableBody extends AsyncIterable<Uint8Array> {
  [RELEASE](bytes: Uint8Array): void;
}

/** Frees some bytes of a body, and all bytes before them: they will never be read again. */
export type Release = (bytes: Uint8Array) => void;

/**
 * Makes a body releasable. Only for a body whose chunks no other code can see.
 *
 * `release` is called with the chunk that was yielded last, or with a part of it.
 */
export function releasable(body: AsyncIterable<Uint8Array>, release: Release): AsyncIterable<Uint8Array> {
  const made: ReleasableBody = { [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](), [RELEASE]: release };
  return made;
}

/** Makes a body releasable that consists of views into the chunks of another, in order and none twice. */
export function releasingThrough(
  source: AsyncIterable<Uint8Array>,
  body: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  return isReleasable(source) ? releasable(body, releaseOf(source)) : body;
}

/**
 * Returns the function by which the only reader of a body frees the last chunk, once it is copied and before the next one is read. Does
 * nothing for a body that is not releasable.
 */
export function releaseOf(body: AsyncIterable<Uint8Array>): Release {
  return isReleasable(body) ? (bytes) => body[RELEASE](bytes) : keep;
}

function keep(): void {}

function isReleasable(body: AsyncIterable<Uint8Array>): body is ReleasableBody {
  return RELEASE in body;
}
