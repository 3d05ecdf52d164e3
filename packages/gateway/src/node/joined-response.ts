import { type IncomingMessage, ServerResponse } from "node:http";

type Send = (data: unknown, encoding?: unknown, callback?: unknown, length?: unknown) => boolean;

/** Node's own method, which is not public. It writes the head before the first part of a body. */
const nodeSend: unknown = Reflect.get(ServerResponse.prototype, "_send");

/**
 * A response whose head and small body leave in one write. Node's `end()` writes the body, then an empty part that carries its callback: two
 * parts of a `writev`.
 */
export class JoinedResponse<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {
  #isEnding = false;
  #body: string | undefined;

  /** Ends the response with a Latin-1 text. Without Node's method, this is `end()`. */
  endText(text: string): void {
    this.#isEnding = typeof nodeSend === "function" && !this.chunkedEncoding;
    this.end(text, "latin1");
  }

  /** Called by Node: keeps the body back until the empty part follows. */
  _send(...[data, encoding, callback, length]: Parameters<Send>): boolean {
    const send = nodeSend as Send;
    if (this.#isEnding && this.#body === undefined && typeof data === "string" && data !== "") {
      this.#body = data;
      return true;
    }
    if (this.#body === undefined) return send.call(this, data, encoding, callback, length);
    const body = this.#body;
    this.#body = undefined;
    this.#isEnding = false;
    if (data === "") return send.call(this, body, "latin1", callback);
    send.call(this, body, "latin1");
    return send.call(this, data, encoding, callback, length);
  }
}
