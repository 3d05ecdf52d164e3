import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { urlSigner } from "daypass/url";
import { onTestFinished } from "vitest";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { openRoutes, type RouteConfig } from "../../src/upstream/index.ts";

/** A request as an upstream received it. */
export interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage["headers"];
  body: string;
}

/** An upstream in this process, and what it received. */
export interface TestUpstream {
  readonly url: string;
  readonly server: Server;
  readonly seen: Seen[];
}

export async function upstreamOf(answer: RequestListener = (_, response) => response.end("ok")): Promise<TestUpstream> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const { method, url, rawHeaders, headers } = request;
    const entry: Seen = { method, url, rawHeaders, headers, body: "" };
    seen.push(entry);
    request.on("data", (chunk: Buffer) => {
      entry.body += chunk.toString("latin1");
    });
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, seen };
}

/** A gateway with one route, and a signer for it. */
export async function routed(
  upstream: string,
  config: Partial<RouteConfig> = {},
  options: Parameters<typeof testGateway>[0] = {},
): Promise<TestGateway & { sign(path: string, request?: object): string }> {
  const gateway = await testGateway({
    ...options,
    gateway: (port) => ({
      ...options.gateway?.(port),
      routes: openRoutes([{ origin: `http://127.0.0.1:${port}`, prefix: "/app/", upstream, ...config }]),
    }),
  });
  onTestFinished(() => gateway.close());
  const signer = urlSigner({ key: gateway.urlKey, clock: gateway.clock });
  const sign = (path: string, request: object = {}): string =>
    signer.sign({ url: `${gateway.url}${path}`, expiresIn: 60, ...request }).url;
  return Object.assign(gateway, { sign });
}

/** The code of a problem document. */
export async function codeOf(response: Response): Promise<readonly [status: number, code: string]> {
  const { code } = (await response.json()) as { code: string };
  return [response.status, code];
}
