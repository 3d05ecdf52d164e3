import type { Grant } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { unchecked } from "../../core/unchecked.ts";
import type { FetchRequest } from "./request.ts";

interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(reason?: unknown): Promise<void>;
}
interface ByteStream {
  getReader(): Reader;
}
interface Controller {
  enqueue(chunk: Uint8Array): void;
  close(): void;
}
declare const Request: new (url: string, init: unknown) => FetchRequest;
declare const ReadableStream: new (
  source: { pull(controller: Controller): Promise<void>; cancel(reason: unknown): Promise<void> },
  strategy: { readonly highWaterMark: number },
) => ByteStream;

/**
 * The request as the handler may see it: without the parameters that may vary, and with a body that fails where it
 * breaks the grant. The same object if the grant asks for neither.
 */
export async function presentRequest<R extends WithBody>(request: R, grant: Grant): Promise<R> {
  const strips = grant.obligations.some(({ kind }) => kind === "strip");
  const limits = grant.obligations.some(({ kind }) => kind === "body-length" || kind === "body-sha256");
  // After another reader, a stream may remain that ends at once, so nothing would be checked; and a host whose requests
  // do not show their bodies would hand out all of one.
  if (limits && (request.bodyUsed || request.body === undefined))
    throw refusal(
      "INVALID_INPUT",
      "the body of the request was read before the guard. Put the guard before body parsers",
    );
  const url = strips ? withQueryOf(request.url, grant.target) : request.url;
  const presented = strips ? rebuild(request, [url, request], { url }) : request;
  if (!limits) return presented;
  const { body } = presented as WithBody;
  if (!body) {
    // Nothing to read later, so an empty body has to satisfy the grant now.
    for await (const _ of grant.limitBody(nothing())) break;
    return presented;
  }
  const limited = { url, body: limitStream(body, grant), duplex: "half" };
  return rebuild(presented, [presented, limited], limited);
}

type WithBody = FetchRequest & {
  readonly body?: ByteStream | null;
  readonly bodyUsed?: boolean;
  readonly signal?: unknown;
};

/**
 * By the request's own constructor, so that a subclass (`NextRequest`, the one of Hono on Node) stays what it is; by the runtime's
 * if a host builds its requests from other objects, as srvx does, the base of h3 and Nitro.
 */
function rebuild<R extends WithBody>(
  request: R,
  parts: readonly [input: unknown, init: unknown],
  changes: { readonly url: string; readonly body?: ByteStream },
): R {
  const { method, headers, signal, body } = request;
  try {
    const rebuilt = Reflect.construct(request.constructor, parts) as R;
    // Some classes throw only when a property is read. Others drop the body (Azure's HttpRequest) or keep the old one.
    if (rebuilt.url && rebuilt.method === method && (!changes.body || rebuilt.body === changes.body)) return rebuilt;
  } catch {
    // If the request itself is invalid, the constructor below throws, too.
  }
  const init = { method, headers, signal, body, duplex: "half", ...changes };
  return unchecked(new Request(changes.url, init));
}

function withQueryOf(url: string, target: string): string {
  const [base = ""] = url.split("?", 1);
  const mark = target.indexOf("?");
  return mark < 0 ? base : base + target.slice(mark);
}

/** {@link Grant.limitBody} for a web stream: the stream fails with its error. */
function limitStream(body: ByteStream, grant: Grant): ByteStream {
  const reader = body.getReader();
  const limited = grant.limitBody(chunks(reader))[Symbol.asyncIterator]();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await limited.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

// By hand: a ReadableStream is not async-iterable in every runtime.
async function* chunks(reader: Reader): AsyncGenerator<Uint8Array> {
  let ended = false;
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) break;
      if (value !== undefined) yield value;
    }
    ended = true;
  } finally {
    if (!ended) await reader.cancel();
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
