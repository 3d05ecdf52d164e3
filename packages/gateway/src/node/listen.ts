import { once } from "node:events";
import { createServer, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { createSecureContext } from "node:tls";
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
import type { Balanced } from "./balance.ts";
import { requestListener } from "./handler.ts";
import type { Waiting } from "./request-body.ts";
import { reachedBytes, takenBytes } from "./taken-bytes.ts";
import type { MinimumRate } from "./transfer-watch.ts";
import { unreadable } from "./unreadable.ts";

/** Timeouts for clients, in milliseconds. */
export interface Timeouts {
  /** From the connection, or the end of the last request, to the end of the head. Also the limit for a TLS handshake. */
  readonly headersMs: number;
  /** Between two requests on a connection. */
  readonly keepAliveMs: number;
  /** Without a byte in either direction, unless the client waits for its response. */
  readonly idleMs: number;
}

/** The timeouts of a server that was given none. */
export const defaultTimeouts: Timeouts = { headersMs: 10_000, keepAliveMs: 5_000, idleMs: 60_000 };

/** Receives log entries that do not belong to a single request. Every pino logger is one. */
export interface Logger {
  /** For what the operator may want to know. */
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
  /** The minimum rate of uploads and downloads; 1 KB/s over 10 s by default. */
  readonly minimumRate?: MinimumRate | undefined;
  /** Connections that may be open at once; further ones are closed. 10,000 by default. */
  readonly maxConnections?: number | undefined;
  readonly logger?: Logger | undefined;
}

/** A certificate chain and its private key, PEM texts. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** A server that listens. */
export interface GatewayServer extends Balanced {
  /** `http://host:port` or `https://host:port`. */
  readonly url: string;
  /** The port on which it listens, even if 0 was requested. */
  readonly port: number;
  /**
   * Uses another certificate for new connections; open connections keep theirs. Throws, and keeps the current certificate,
   * if the pair is invalid or the server was started without TLS.
   */
  setTls(pair: TlsPair): void;
  /** Accepts no new connections, lets requests finish for at most this many milliseconds, then closes the gateway. */
  drain(timeoutMs: number): Promise<void>;
}

// Large writes and reads move in few system calls; a connection that is idle holds none of it.
const STREAM_BUFFER_BYTES = 256 * 1024;
const CONNECTION_CHECK_MS = 1000;
const DRAIN_CHECK_MS = 50;

const OPTIONS: FormsOf<ListenOptions> = {
  host: text,
  port: [(port) => wholeNumber(0)[0](port) && Number(port) <= 65_535, "a whole number up to 65535"],
  tls: object,
  timeouts: object,
  minimumRate: object,
  maxConnections: wholeNumber(1),
  logger: [isObject, "a logger"],
};

const TIMEOUTS: FormsOf<Timeouts> = { headersMs: timer, keepAliveMs: timer, idleMs: timer };

/**
 * Serves a gateway on a socket, with limits and timeouts that protect it from slow and greedy clients.
 *
 * Rejects if the address is in use.
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
export async function listen(gateway: Gateway, options: ListenOptions = {}): Promise<GatewayServer> {
  const { host = "127.0.0.1", port = 0, tls, logger, minimumRate } = options;
  expectForms(options, OPTIONS);
  if (options.timeouts !== undefined) expectForms(options.timeouts, TIMEOUTS, "timeouts");
  const timeouts: Timeouts = { ...defaultTimeouts, ...given(options.timeouts) };
  let draining = false;
  let surplus = 0;
  const isLast = (): boolean => {
    if (surplus === 0) return draining;
    surplus -= 1;
    return true;
  };
  const atWork = new WeakMap<Socket, Waiting>();
  const handler = requestListener(gateway, { minimumRate, isDraining: isLast, ownsRequests: true, atWork });
  const serverOptions: ServerOptions = {
    maxHeaderSize: gateway.limits.headerBytes,
    highWaterMark: STREAM_BUFFER_BYTES,
    connectionsCheckingInterval: Math.min(CONNECTION_CHECK_MS, timeouts.headersMs),
    headersTimeout: timeouts.headersMs,
    // Node's own limit on a whole request knows no difference between a slow client and a large body; `minimumRate` does.
    requestTimeout: 0,
    keepAliveTimeout: timeouts.keepAliveMs,
  };
  const secure =
    tls === undefined
      ? undefined
      : // For Node the time of a head begins behind the handshake, which has two minutes of its own.
        createTlsServer({ ...tls, ...serverOptions, handshakeTimeout: timeouts.headersMs }, handler);
  const server: Server = secure ?? createServer(serverOptions, handler);
  server.maxHeadersCount = fieldsToRead(gateway.limits.headerCount);
  server.maxConnections = options.maxConnections ?? 10_000;
  server.setTimeout(timeouts.idleMs);
  // Else Node ends the connection of a client that says it sends nothing more, as `nc -N` does, before the answer that is being made.
  Object.assign(server, { httpAllowHalfOpen: true });
  const connections = new Set<Socket>();
  server.on("connection", (socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  // By TLS something has come on each of those, the handshake; whether a request has, these know.
  const secured = new Set<Socket>();
  server.on("secureConnection", (socket: Socket) => {
    // By TCP alone it has this from Node. Who ends his side while he shakes hands waits for no answer.
    socket.allowHalfOpen = true;
    secured.add(socket);
    socket.once("close", () => secured.delete(socket));
  });
  // Who has sent all that is wanted waits for the gateway, however long that takes.
  const isOwed = (socket: Socket): boolean => atWork.get(socket)?.awaitsClient() === false;
  server.on("timeout", endIdle({ idleMs: timeouts.idleMs, isOwed }));
  server.on("checkContinue", handler);
  // Any other expectation: node would answer 417 by itself, without a line in the log.
  server.on("checkExpectation", handler);
  server.on("clientError", unreadable());
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  // A worker whose primary gives up meanwhile has lost it again.
  if (address === null || typeof address === "string") throw new Error("expected a socket, found that it was closed");
  const url = `${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
  logger?.info({ url }, "listening");

  return {
    url,
    port: address.port,
    get connections() {
      return connections.size;
    },
    shed(count) {
      surplus = count;
    },
    setTls({ cert, key }) {
      if (secure === undefined) throw new Error("expected a server that was started with tls, found one that was not");
      // Of what TLS does not take Node would keep a half.
      createSecureContext({ cert, key });
      secure.setSecureContext({ cert, key });
    },
    async drain(timeoutMs) {
      draining = true;
      logger?.info({ url, timeoutMs }, "draining");
      const closed = once(server, "close");
      server.close();
      // For Node a connection on which nothing has come yet is not idle, and `close` has stopped the timeout that would end it.
      for (const connection of [...connections, ...secured]) if (connection.bytesRead === 0) connection.destroy();
      // A connection becomes idle when its response is out, and only then can be closed.
      const idle = setInterval(() => server.closeIdleConnections(), DRAIN_CHECK_MS);
      const late = setTimeout(() => {
        server.closeAllConnections();
        // Those that are still shaking hands Node does not count.
        for (const connection of connections) connection.destroy();
      }, timeoutMs);
      await closed;
      clearInterval(idle);
      clearTimeout(late);
      await gateway.close();
      logger?.info({ url }, "closed");
    },
  };
}

/** Far more than anybody sends. Each takes memory while its head is under way, on every connection, whatever the pipeline says in the end. */
const READ_FIELDS = 1024;
/** Node doubles its limit, in 32 bits. */
const MOST_FIELDS = 2 ** 30 - 1;

/**
 * How many fields Node may read. It drops those beyond in silence or, since Node 26, answers a bare 431 by itself, as where a head has too many
 * bytes: with more than are allowed, the pipeline sees that there are too many, and refuses them in the client's dialect and with a line
 * in the log.
 */
function fieldsToRead(allowed: number): number {
  return Math.min(Math.max(allowed + 1, READ_FIELDS), MOST_FIELDS);
}

interface IdleOptions {
  readonly idleMs: number;
  /** Whether it is the gateway that a connection waits for. */
  readonly isOwed: (socket: Socket) => boolean;
}

/**
 * Ends a connection on which nothing has moved for its time. Node takes a client for idle that is over what the kernel holds, and by TLS over
 * one long write, whatever it has taken of that. One that waits for its answer, or for more of it, is not: it would never learn that the storage
 * does not answer, and the log would say that it had left.
 */
function endIdle({ idleMs, isOwed }: IdleOptions): (socket: Socket) => Promise<void> {
  const taken = new WeakMap<Socket, number | undefined>();
  return async (socket) => {
    if (isOwed(socket)) {
      socket.setTimeout(idleMs);
      return;
    }
    if (socket.writableLength === 0) {
      socket.destroy();
      return;
    }
    const before = taken.get(socket);
    const now = (await reachedBytes(socket)) ?? takenBytes(socket);
    taken.set(socket, now);
    // The rest may have gone out meanwhile, and the connection has another limit by then.
    if (socket.writableLength === 0) return;
    if (now === before) socket.destroy();
    else socket.setTimeout(idleMs);
  };
}
