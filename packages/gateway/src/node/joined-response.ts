import { type IncomingMessage, ServerResponse } from "node:http";

type Send = (data: unknown, encoding?: unknown, callback?: unknown, length?: unknown) => boolean;

/** Node's own method, which is not public. It writes the head before the first part of a body. */
const nodeSend: unknown = Reflect.get(ServerResponse.prototype, "_send");

/**
 * A response whose head and small body leave in one write. Node's `end()` writes the body, then up to Node 24 an empty part that carries its
 * callback: two parts of a `writev`.
 */
export class JoinedResponse<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {
  #isEnding = false;
  #held: { readonly body: string; readonly callback: unknown } | undefined;

  /** Ends the response with a Latin-1 text. Without Node's method, this is `end()`. */
  endText(text: string): void {
    this.#isEnding = typeof nodeSend === "function" && !this.chunkedEncoding;
    this.end(text, "latin1");
    // Node 26 sends no empty part.
    this.#sendHeld();
  }

  /** Called by Node: keeps the body back until the empty part follows. */
  _send(...[data, encoding, callback, length]: Parameters<Send>): boolean {
    if (this.#isEnding && this.#held === undefined && typeof data === "string" && data !== "") {
      this.#held = { body: data, callback };
      return true;
    }
    if (data === "" && this.#held !== undefined) return this.#sendHeld(callback);
    this.#sendHeld();
    return (nodeSend as Send).call(this, data, encoding, callback, length);
  }

  #sendHeld(callback = this.#held?.callback): boolean {
    this.#isEnding = false;
    if (this.#held === undefined) return true;
    const { body } = this.#held;
    this.#held = undefined;
    return (nodeSend as Send).call(this, body, "latin1", callback);
  }
}
