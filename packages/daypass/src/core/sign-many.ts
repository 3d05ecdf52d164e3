import { invalidInput } from "./errors.ts";
import { AHEAD, failed } from "./signed-request.ts";

/**
 * Signs requests that arrive one by one, such as the rows of a database or of any other iterable, with any signer. Results
 * come in the order of the requests, each as soon as it and those before it are signed. A bad request yields its error and does
 * not stop the others.
 *
 * At most sixteen requests are read ahead of the results, and only while the consumer waits for one, so the consumer sets the pace.
 * If the iteration ends early, the source is closed. If the source fails, its error is thrown after the results before it.
 *
 * @param signer a signer of requests, forms or cookies
 * @param requests what its `sign` takes, as an `AsyncIterable` or an `Iterable`
 * @throws {DaypassError} `INVALID_INPUT` if `requests` is not iterable
 * @example
 * ```ts
 * import { signMany } from "daypass";
 * import { s3Signer } from "daypass/s3";
 *
 * const s3 = s3Signer({ region: "eu-west-1", credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" } });
 * async function* requests(rows: AsyncIterable<{ name: string }>) {
 *   for await (const { name } of rows) yield { bucket: "media", key: name, expiresIn: 900 };
 * }
 * export async function* urls(rows: AsyncIterable<{ name: string }>) {
 *   for await (const item of signMany(s3, requests(rows))) yield "url" in item ? item.url : item.error.message;
 * }
 * ```
 */
export function signMany<R, S>(
  signer: { sign(request: R): S },
  requests: AsyncIterable<R> | Iterable<R>,
): AsyncIterableIterator<Awaited<S> | { readonly error: Error }> {
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: atOnce } = Object(requests);
  if (typeof (later ?? atOnce) !== "function") throw invalidInput("requests", "an iterable", requests);
  return signAsTheyCome(signer, () => (later ?? atOnce).call(requests));
}

async function* signAsTheyCome<R, S>(
  signer: { sign(request: R): S },
  open: () => Iterator<R> | AsyncIterator<R>,
): AsyncGenerator<Awaited<S> | { readonly error: Error }> {
  type Signed = { readonly item: Awaited<S> | { readonly error: Error } };
  const source = open();
  const underWay: Promise<Signed>[] = [];
  /** The request that is waited for. */
  let taking: Promise<undefined> | undefined;
  let isOpen = true;
  let broken: { readonly reason: unknown } | undefined;

  const sign = async (request: R): Promise<Signed> => {
    try {
      return { item: await signer.sign(request) };
    } catch (thrown) {
      return { item: failed(thrown) };
    }
  };
  // What a source throws at once is thrown later: `taking` would be set behind its own end, and never be called.
  const next = async (): Promise<IteratorResult<R>> => source.next();
  const take = async (): Promise<undefined> => {
    try {
      const { done, value } = await next();
      if (done) isOpen = false;
      else underWay.push(sign(value));
    } catch (reason) {
      isOpen = false;
      broken = { reason };
    }
    taking = undefined;
  };

  try {
    while (isOpen || underWay.length > 0) {
      if (isOpen && underWay.length < AHEAD) taking ??= take();
      // A slow source does not hold back what is signed.
      const signed = await Promise.race([...underWay.slice(0, 1), ...(taking ? [taking] : [])]);
      if (signed === undefined) continue;
      underWay.shift();
      yield signed.item;
    }
    if (broken) throw broken.reason;
  } finally {
    if (isOpen) {
      const closing = Promise.resolve(source.return?.());
      // A source that waits for its next request ends when that arrives. Nothing waits for it.
      if (taking) closing.catch(() => undefined);
      else await closing;
    }
  }
}
