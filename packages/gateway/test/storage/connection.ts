import { EventEmitter } from "node:events";
import type { Channel } from "../../src/storage/disk/index.ts";

/** Two ends of a connection in one process. Messages pass through JSON, as between processes. */
export function connection(): { readonly primary: Channel; readonly worker: Channel; close(): void } {
  const wires = [new EventEmitter(), new EventEmitter()] as const;
  const end = (mine: EventEmitter, theirs: EventEmitter): Channel => ({
    send: (message) => void setImmediate(() => theirs.emit("message", JSON.parse(JSON.stringify(message)))),
    onMessage: (listener) => void mine.on("message", listener),
    onClose: (listener) => void mine.on("close", listener),
  });
  const close = () => {
    for (const wire of wires) wire.emit("close");
  };
  return { primary: end(wires[0], wires[1]), worker: end(wires[1], wires[0]), close };
}
