import { fstatSync } from "node:fs";
import type { Socket } from "node:net";
import { kernelQueues } from "./kernel-queues.ts";

/** What Node's own idle timeout looks at. By TLS it has that of the connection below, which alone tells of a write before its end. */
interface Handle {
  readonly fd?: number;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
  readonly _parent?: Handle;
}

/**
 * Bytes that the kernel has taken of all that was written to a connection; nothing where this Node does not tell. A write is over when its last
 * byte is gone, and until then nothing else shows that a slow client takes one piece after the other.
 */
export function takenBytes(socket: Socket): number | undefined {
  const { bytesWritten, writeQueueSize } = handleOf(socket);
  return bytesWritten === undefined || writeQueueSize === undefined ? undefined : bytesWritten - writeQueueSize;
}

/**
 * Those of them that the other end has acknowledged; nothing where the system does not tell. The kernel says that it has room when a third of its
 * buffer is free, and the buffer has grown with what the client took at its best: megabytes, over which one is for minutes whose network has become
 * slow.
 */
export async function reachedBytes(socket: Socket): Promise<number | undefined> {
  const { fd = -1 } = handleOf(socket);
  // Behind the wait the number may be another's.
  const inode = fd < 0 ? undefined : inodeOf(fd);
  const queued = inode === undefined ? undefined : (await kernelQueues()).get(inode);
  const taken = takenBytes(socket);
  // Too many by what the kernel has taken since it was asked.
  return queued === undefined || taken === undefined ? undefined : taken - queued;
}

function inodeOf(fd: number): number | undefined {
  try {
    return fstatSync(fd).ino;
  } catch {
    // A runtime that counts its sockets by itself.
    return undefined;
  }
}

/**
 * Bytes that have come by a connection, encrypted as they are; nothing where this Node does not tell. A record of TLS is 16 KB and can be read when
 * its last byte is here.
 */
export function cameBytes(socket: Socket): number | undefined {
  return handleOf(socket).bytesRead;
}

function handleOf(socket: Socket): Handle {
  const handle: Handle | null | undefined = Reflect.get(socket, "_handle");
  return handle?._parent ?? handle ?? {};
}
