import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { Gateway } from "../gateway.ts";
import {
  expectForms,
  type FormsOf,
  given,
  isObject,
  object,
  text,
  timer,
  wholeNumber,
} from "../http/validate-options.ts";
import { clientErrors } from "./client-error.ts";
import { mostWaitingBytes, RATE, requestListener } from "./handler.ts";
import { JoinedResponse } from "./joined-response.ts";
import type { Waiting } from "./request-body.ts";
import { type MinimumRate, waitingBytes } from "./slow-client.ts";
import { checkTlsPair, type TlsPair } from "./tls-pair.ts";
import { listenForUpgrades } from "./upgrade.ts";

/** Timeouts for clients, in milliseconds. */
export interface Timeouts {
  /** From the connection, or the end of the last request, to the end of the head. Also the limit for a TLS handshake. */
  readonly headersMs: number;
  /** Between two requests on a connection. */
  readonly keepAliveMs: number;
  /** Without a byte in either direction, unless the client waits for its response or has not yet accepted all of it. */
  readonly idleMs: number;
}

/** The timeouts of a server that was given none. */
export const defaultTimeouts: Timeouts = { headersMs: 10_000, keepAliveMs: 5_000, idleMs: 60_000 };

/** Receives log entries that do not belong to a single request. Every pino logger is one. */
export interface Logger {
  /** For events that need no action. */
  info(fields: object, message: string): void;
  /** For problems that the operator must fix. */
  error(fields: object, message: string): void;
}

/** Options of {@link listen}. Each is checked before the socket opens. */
export interface ListenOptions {
  /** 127.0.0.1 by default. */
  readonly host?: string | undefined;
  /** 0, the default, selects a free one. */
  readonly port?: number | undefined;
  /** With it the server speaks HTTPS only. */
  readonly tls?: TlsPair | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** The minimum rate of uploads; 1 KB/s over 10 s by default. */
  readonly minimumRate?: MinimumRate | undefined;
  /** Connections that may be open at once; further ones are closed. 10,000 by default. */
  readonly maxConnections?: number | undefined;
  readonly logger?: Logger | undefined;
}

/** A server that listens. */
export interface GatewayServer {
  /** `http://host:port` or `https://host:port`. */
  readonly url: string;
  /** The port on which it listens, even if 0 was requested. */
  readonly port: number;
  /** Number of open connections. */
  readonly connections: number;
  /**
   * Uses another certificate for new connections; open connections keep theirs. Throws, and keeps the current certificate,
   * if the pair is invalid or the server was started without TLS.
   */
  setTls(pair: TlsPair): void;
  /** Accepts no new connections, waits at most this many milliseconds for requests in progress, then closes the gateway. */
  drain(timeoutMs: number): Promise<void>;
}

// Large writes and reads need few system calls; an idle connection holds no buffer.
const STREAM_BUFFER_BYTES = 256 * 1024;
const CONNECTION_CHECK_MS = 1000;
const DRAIN_CHECK_MS = 50;

const OPTIONS: FormsOf<ListenOptions> = {
  host: text,
  port: [(port) => wholeNumber(0)[0](port) && Number(port) <= 65_535, "a whole number up to 65535"],
  tls: object,
  timeouts: { headersMs: timer, keepAliveMs: timer, idleMs: timer } satisfies FormsOf<Timeouts>,
  minimumRate: RATE,
  maxConnections: wholeNumber(1),
  logger: [isObject, "a logger"],
};

/**
 * Serves a gateway on a socket, with limits and timeouts that protect it from slow and greedy clients.
 *
 * Rejects if the address is in use.
 *
 * @param gateway answers the requests
 *
 * @throws {DaypassError} `INVALID_INPUT` for options that cannot work
 * @example
 * ```ts
 * import type { Gateway } from "@daypass/gateway";
 * import { listen } from "@daypass/gateway/node";
 *
 * export const run = async (gateway: Gateway) => {
 *   const server = await listen(gateway, { port: 8080 });
 *   await server.drain(10_000);
 * };
 * ```
 */
export async function listen(gateway: Omit<Gateway, "verify">, options: ListenOptions = {}): Promise<GatewayServer> {
  const { host = "127.0.0.1", port = 0, tls, logger, minimumRate } = options;
  expectForms(options, OPTIONS);
  if (tls !== undefined) checkTlsPair(tls);
  const timeouts: Timeouts = { ...defaultTimeouts, ...given(options.timeouts) };
  let draining = false;
  const atWork = new WeakMap<Socket, Waiting>();
  // TLS connection → its TCP socket.
  const secured = new Map<Socket, Socket>();
  const handler = requestListener(gateway, {
    minimumRate,
    isDraining: () => draining,
    ownsRequests: true,
    atWork,
    tcpSocket: (socket) => secured.get(socket) ?? socket,
  });
  const serverOptions: ServerOptions<typeof IncomingMessage, typeof JoinedResponse> = {
    ServerResponse: JoinedResponse,
    maxHeaderSize: gateway.limits.headerBytes,
    highWaterMark: STREAM_BUFFER_BYTES,
    connectionsCheckingInterval: Math.min(CONNECTION_CHECK_MS, timeouts.headersMs),
    headersTimeout: timeouts.headersMs,
    // Node's limit on a whole request would cut large bodies; `minimumRate` cuts slow ones only.
    requestTimeout: 0,
    keepAliveTimeout: timeouts.keepAliveMs,
  };
  const secure =
    tls === undefined
      ? undefined
      : // Node measures `headersTimeout` from the end of the handshake, whose own default is two minutes.
        createTlsServer({ ...tls, ...serverOptions, handshakeTimeout: timeouts.headersMs }, handler);
  const server: Server = secure ?? createServer(serverOptions, handler);
  server.maxHeadersCount = fieldsToRead(gateway.limits.headerCount);
  server.maxConnections = options.maxConnections ?? 10_000;
  server.setTimeout(timeouts.idleMs);
  // Otherwise Node closes the connection of a client that has half-closed it, such as `nc -N`, before the response.
  Object.assign(server, { httpAllowHalfOpen: true });
  const connections = new Map<string, Socket>();
  server.on("connection", (socket: Socket) => {
    const peer = peerOf(socket);
    connections.set(peer, socket);
    socket.once("close", () => connections.delete(peer));
  });
  server.on("secureConnection", (socket: Socket) => {
    // Node sets this for TCP only.
    socket.allowHalfOpen = true;
    secured.set(socket, connections.get(peerOf(socket)) ?? socket);
    socket.once("close", () => secured.delete(socket));
  });
  server.on("timeout", (socket: Socket) => {
    // The client has sent its whole request, so the timeout does not apply.
    if (atWork.get(socket)?.awaitsClient() === false) socket.setTimeout(socket.timeout ?? timeouts.idleMs);
    else socket.destroy();
  });
  if (gateway.upgrades !== undefined) {
    const waiting = waitingBytes(mostWaitingBytes(gateway.limits));
    listenForUpgrades(server, gateway, { waiting, event: secure === undefined ? "connection" : "secureConnection" });
  }
  server.on("checkContinue", handler);
  // Node would answer any other expectation with 417, without a log line.
  server.on("checkExpectation", handler);
  server.on("clientError", clientErrors());
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  // In a worker whose primary has just ended, the socket is already closed.
  if (address === null || typeof address === "string")
    throw new Error("the listening socket is closed, probably because the primary process ended. Start it again");
  const url = `${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
  logger?.info({ url }, "listening");

  return {
    url,
    port: address.port,
    get connections() {
      return connections.size;
    },
    setTls({ cert, key }) {
      if (secure === undefined) throw new Error("the server was started without tls. Pass tls to listen()");
      // setSecureContext keeps the old key if the new certificate is invalid.
      checkTlsPair({ cert, key });
      secure.setSecureContext({ cert, key });
    },
    async drain(timeoutMs) {
      draining = true;
      logger?.info({ url, timeoutMs }, "draining");
      const closed = once(server, "close");
      server.close();
      // Node does not count a connection without a request as idle, and `close` has stopped its timeout. Over TLS, the TCP socket has read the
      // handshake.
      for (const connection of [...connections.values(), ...secured.keys()])
        if (connection.bytesRead === 0) connection.destroy();
      // A connection becomes idle when its response is sent.
      const idle = setInterval(() => server.closeIdleConnections(), DRAIN_CHECK_MS);
      const late = setTimeout(() => {
        server.closeAllConnections();
        // Node does not count connections during their TLS handshake.
        for (const connection of connections.values()) connection.destroy();
      }, timeoutMs);
      await closed;
      clearInterval(idle);
      clearTimeout(late);
      await gateway.close();
      logger?.info({ url }, "closed");
    },
  };
}

/** Identifies an open connection of a server: a TLS connection and its TCP socket have the same peer. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** More than any client sends. Each field takes memory while its head is being read. */
const READ_FIELDS = 1024;
/** Node doubles its limit, in 32 bits. */
const MOST_FIELDS = 2 ** 30 - 1;

/**
 * Returns how many fields Node reads. Beyond them, Node drops fields silently or, since Node 26, answers a bare 431. It has to read more than
 * are allowed: then the pipeline refuses the request in the client's dialect, with a log line.
 */
function fieldsToRead(allowed: number): number {
  return Math.min(Math.max(allowed + 1, READ_FIELDS), MOST_FIELDS);
}
