import type { Duplex } from "node:stream";
import type { Body } from "../storage/contract/storage.ts";

/** The answer of a protocol, without the headers that every response carries. */
export interface Answer {
  readonly status: number;
  /** Alternating names and values, as `writeHead` accepts them without a copy. The responder appends to it. */
  readonly headers: string[];
  /** `undefined` sends no bytes: HEAD, 204, 304. */
  readonly body: Body | undefined;
  /** The connection of an upstream that has changed its protocol: it is joined with the client's. */
  readonly tunnel?: Duplex | undefined;
  /** When a response that never ends by itself is cut, milliseconds since 1970. */
  readonly endsAt?: number | undefined;
  /** Registers a running response that may have to be cut; the result removes it. */
  readonly onRunning?: ((cut: () => void) => () => void) | undefined;
  /** Called once with the bytes of the body that were handed to the connection, and whether those were all. */
  readonly onDelivered?: ((bytes: number, complete: boolean) => void) | undefined;
}

/** What the gateway returns for a request. The code that sends it must report the delivery at the end. */
export interface Outcome extends Answer {
  /** The connection must be closed afterwards, because the request's body was not read. */
  readonly close: boolean;
  /**
   * Call it exactly once, when the last byte is sent or the connection is closed: writes the line of the access log.
   * @param bytes bytes of the body that were passed to the connection
   * @param complete whether those were all
   * @param fault the error that prevented sending, if it was not caused by the client
   */
  delivered(bytes: number, complete: boolean, fault?: DeliveryFault): void;
}

/** Releases the file or stream of a body that is not sent. */
export function discard(body: Body | undefined): void {
  if (body?.kind === "file") body.close();
  if (body?.kind === "stream") body.stream.destroy();
}

/** An error of the gateway, or of its storage, that occurred too late for an error response. */
export interface DeliveryFault {
  readonly error: unknown;
  /** The status that the client got, which may be one of success. */
  readonly status: number;
}
