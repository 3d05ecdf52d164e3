import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

/** A request that the proxy passed on. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  status: number | undefined;
}

export interface TestProxy {
  readonly url: string;
  readonly seen: Seen[];
  /** Cuts the connection after this many bytes of the next answer that is longer. */
  cutAfter: number | undefined;
  /** The cut waits for this, and so does the client. */
  cutWhen: Promise<void> | undefined;
  /** Sends each request twice and passes on the second answer, as a proxy does whose upstream connection broke. */
  retries: boolean;
  close(): Promise<void>;
}

/** A proxy in front of a gateway: shows what clients send, cuts and retries. */
export async function proxyTo(upstream: string): Promise<TestProxy> {
  const { host, port } = new URL(upstream);
  const seen: Seen[] = [];
  const proxy = { seen, cutAfter: undefined, cutWhen: undefined, retries: false } as {
    -readonly [name in keyof TestProxy]: TestProxy[name];
  };
  const pass = (request: IncomingMessage, body: Buffer): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { method, url, headers } = request;
      const sent = httpRequest({ port, method, path: url, headers: { ...headers, host }, agent: false }, resolve);
      sent.on("error", reject).end(body);
    });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { method = "", url = "", headers } = request;
    const entry: Seen = {
      method,
      path: url,
      range: headers.range,
      ifRange: headers["if-range"] as string,
      status: undefined,
    };
    seen.push(entry);
    if (proxy.retries) (await pass(request, body)).destroy();
    const answered = await pass(request, body);
    entry.status = answered.statusCode;
    response.writeHead(answered.statusCode ?? 502, answered.rawHeaders);
    const cut = proxy.cutAfter;
    async function* passed(): AsyncGenerator<Buffer> {
      let bytes = 0;
      for await (const chunk of answered as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (cut === undefined || bytes <= cut) yield chunk;
        else {
          proxy.cutAfter = undefined;
          yield chunk.subarray(0, chunk.length - (bytes - cut));
          await proxy.cutWhen;
          throw new Error("cut");
        }
      }
    }
    await pipeline(passed(), response);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise<unknown>((resolve) => server.close(resolve));
    },
  });
}
