import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Gateway } from "../gateway.ts";
import { toNodeHandler } from "./handler.ts";

export interface ListenOptions {
  /** 127.0.0.1 by default. */
  readonly host?: string | undefined;
  /** 0 chooses a free one. */
  readonly port?: number | undefined;
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

export interface GatewayServer {
  /** `http://host:port`, or `https://…`. */
  readonly url: string;
  readonly port: number;
  /** Stops listening, lets requests finish for at most this long, then closes the gateway. */
  drain(timeoutMs: number): Promise<void>;
}

export async function listen(gateway: Gateway, options: ListenOptions = {}): Promise<GatewayServer> {
  const { host = "127.0.0.1", port = 0, tls } = options;
  const handler = toNodeHandler(gateway);
  const { limits } = gateway;
  // One more than allowed, so that a request over the limit shows that it is.
  const server: Server =
    tls === undefined
      ? createServer({ maxHeaderSize: limits.headerBytes }, handler)
      : createTlsServer({ ...tls, maxHeaderSize: limits.headerBytes }, handler);
  server.maxHeadersCount = limits.headerCount + 1;
  server.on("checkContinue", handler);
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    async drain(timeoutMs) {
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
      await closed;
      clearTimeout(timer);
      await gateway.close();
    },
  };
}
