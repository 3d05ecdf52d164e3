import type { Body } from "../storage/storage.ts";

/** What a protocol answers, before the exit has added what every response carries. */
export interface Answer {
  readonly status: number;
  /** Names and values in turn, the shape that `writeHead` takes without a copy. The exit appends to it. */
  readonly headers: string[];
  /** `undefined` sends no bytes: HEAD, 204, 304. */
  readonly body: Body | undefined;
}

/** The one thing that leaves the gateway. Whoever sends it says at the end what became of it. */
export interface Outcome extends Answer {
  /** The connection has to be closed after it: the request's body was not read. */
  readonly close: boolean;
  /**
   * Called exactly once, when the last byte is out or the connection is gone: writes the audit line.
   * @param bytes bytes of the body that were handed to the connection
   * @param complete whether those were all
   * @param fault what kept it from being sent, where that was not the client
   */
  delivered(bytes: number, complete: boolean, fault?: DeliveryFault): void;
}

/** A fault of the gateway, or of what it reads from, behind the point where it could still be answered. */
export interface DeliveryFault {
  readonly error: unknown;
  /** What the client was told, which may be that all is well. */
  readonly status: number;
}
