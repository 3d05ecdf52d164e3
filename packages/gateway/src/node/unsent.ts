import type { Socket } from "node:net";

/** What Node's own idle timeout looks at. */
interface Handle {
  readonly writeQueueSize?: number;
}

/**
 * Bytes that a socket was given and that the kernel has not taken yet; 0 where this Node does not tell. A write is over when its last byte
 * is gone, and until then nothing else shows that a slow client takes one piece after the other.
 */
export function unsentBytes(socket: Socket | null): number {
  const handle: Handle | null | undefined = socket === null ? null : Reflect.get(socket, "_handle");
  return handle?.writeQueueSize ?? 0;
}
