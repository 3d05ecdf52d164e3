/**
 * Answers that begin before there is a result. "Processing of a CompleteMultipartUpload request could take several minutes to
 * finalize. […] it sends an HTTP response header that specifies a 200 OK response. While processing is in progress, Amazon S3
 * periodically sends white space characters to keep the connection from timing out."
 * @module
 */
import type { Answer } from "./outcome.ts";

const WHITE_SPACE = new TextEncoder().encode(" ");

/** What work came to within so many milliseconds; `undefined` while it goes on. */
export async function within<T>(work: Promise<T>, ms: number): Promise<{ readonly value: T } | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    // Where nothing else goes on nobody waits for the answer.
    timer = setTimeout(() => resolve(undefined), ms).unref();
  });
  try {
    return await Promise.race([work.then((value) => ({ value })), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The body of an answer that has begun: its beginning, white space while the work goes on, and what the finished answer has behind
 * the same beginning. Of that answer only the body can still be told.
 */
export async function* keptAlive(
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
  throw new TypeError("an answer that was begun has to be finished with bytes");
}
