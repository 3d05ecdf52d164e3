/**
 * Responses that begin before there is a result. "Processing of a CompleteMultipartUpload request could take several minutes to
 * finalize. […] it sends an HTTP response header that specifies a 200 OK response. While processing is in progress, Amazon S3
 * periodically sends white space characters to keep the connection from timing out."
 * @module
 */
import type { Answer } from "./outcome.ts";

const WHITE_SPACE = new TextEncoder().encode(" ");

/** Returns the value of a promise within so many milliseconds; `undefined` if it takes longer. */
export async function within<T>(work: Promise<T>, ms: number): Promise<{ readonly value: T } | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    // The timer must not keep an otherwise finished process alive.
    timer = setTimeout(() => resolve(undefined), ms).unref();
  });
  try {
    return await Promise.race([work.then((value) => ({ value })), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Yields the body of an early response: its beginning, white space while the work continues, then the rest of the finished answer, which starts
 * with the same beginning. Status and headers of the finished answer cannot be sent any more.
 */
export async function* earlyBody(
  begun: Answer,
  { finished, everyMs }: { readonly finished: Promise<Answer>; readonly everyMs: number },
): AsyncGenerator<Uint8Array> {
  const beginning = bytesOf(begun);
  yield beginning;
  for (;;) {
    const done = await within(finished, everyMs);
    if (done !== undefined) {
      yield bytesOf(done.value).subarray(beginning.length);
      return;
    }
    yield WHITE_SPACE;
  }
}

function bytesOf({ body }: Answer): Uint8Array {
  if (body?.kind === "bytes") return body.bytes;
  throw new TypeError("an early response must begin and end with bytes");
}
