import type { Socket } from "node:net";

/** What Node's own idle timeout looks at. By TLS it has that of the connection below, which alone tells of a write before its end. */
interface Handle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
  readonly _parent?: Handle;
}

/**
 * Bytes that the kernel has taken of all that was written to a connection; nothing where this Node does not tell. A write is over when its last
 * byte is gone, and until then nothing else shows that a slow client takes one piece after the other.
 */
export function takenBytes(socket: Socket): number | undefined {
  const handle: Handle | null | undefined = Reflect.get(socket, "_handle");
  const { bytesWritten, writeQueueSize } = handle?._parent ?? handle ?? {};
  return bytesWritten === undefined || writeQueueSize === undefined ? undefined : bytesWritten - writeQueueSize;
}
