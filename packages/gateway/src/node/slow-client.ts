/**
 * The rule for slow clients. An upload must keep a minimum rate. A download is cut only when the kernel has accepted none of its bytes for
 * five minutes. Response bytes that wait in the process have one cap: above it, the response that has stalled longest is cut.
 * @module
 */
import type { ServerResponse } from "node:http";

/** The minimum rate of an upload. */
export interface MinimumRate {
  /** The mean over the window; 0 means no minimum. */
  readonly bytesPerSecond: number;
  /** Length of the window over which the rate is measured, in milliseconds. */
  readonly windowMs: number;
}

/** A request body in progress. */
export interface Upload {
  /** Bytes received so far. */
  bytes(): number;
  /** Whether the gateway waits for the client. A slow disk does not count against the client. */
  awaitsClient(): boolean;
  cut(): void;
}

/** Watches an upload until the returned function is called. */
export type UploadWatch = (upload: Upload) => () => void;

interface Window {
  readonly upload: Upload;
  startedAt: number;
  bytes: number;
}

/**
 * Cuts uploads below the minimum rate. All of them share one timer, because a timer for each costs more than a small body.
 *
 * @param now the time in milliseconds, from any start
 */
export function uploadWatch({ bytesPerSecond, windowMs }: MinimumRate, now: () => number): UploadWatch {
  const windows = new Set<Window>();
  const least = (bytesPerSecond * windowMs) / 1000;
  let timer: NodeJS.Timeout | undefined;

  function check(): void {
    if (windows.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    const time = now();
    for (const window of windows) {
      const { upload } = window;
      const awaitsClient = upload.awaitsClient();
      if (awaitsClient && time - window.startedAt < windowMs) continue;
      if (awaitsClient && upload.bytes() - window.bytes < least) upload.cut();
      window.startedAt = time;
      window.bytes = upload.bytes();
    }
  }

  return (upload) => {
    const window = { upload, startedAt: now(), bytes: upload.bytes() };
    windows.add(window);
    timer ??= setInterval(check, Math.max(10, windowMs / 4)).unref();
    return () => windows.delete(window);
  };
}

/** How long a download may stall before it is cut. A fast client fills a send buffer that a slow network needs minutes to drain. */
export const STALL_MS: number = 5 * 60 * 1000;

/** Cuts a response once the kernel has accepted none of its bytes for {@link STALL_MS}. Node's socket timer measures this. */
export function cutWhenStalled(response: ServerResponse): void {
  response.setTimeout(STALL_MS, () => {
    if (response.writableLength > 0) response.destroy();
  });
}

/** The response bytes that wait in the process. */
export interface WaitingBytes {
  readonly total: number;
  /** Notes progress of a response, and the bytes that it holds from now on. Released when the response ends. */
  hold(response: ServerResponse, bytes: number): void;
}

/** Creates the account of waiting response bytes. Above `cap` bytes, it cuts the responses whose last progress is oldest. */
export function waitingBytes(cap: number): WaitingBytes {
  // In the order of their last progress.
  const held = new Map<ServerResponse, number>();
  const watched = new WeakSet<ServerResponse>();
  let total = 0;

  function release(response: ServerResponse): void {
    total -= held.get(response) ?? 0;
    held.delete(response);
  }

  return {
    get total() {
      return total;
    },
    hold(response, bytes) {
      if (!watched.has(response)) {
        watched.add(response);
        const done = (): void => release(response);
        response.once("finish", done).once("close", done);
      }
      release(response);
      held.set(response, bytes);
      total += bytes;
      for (const stalled of held.keys()) {
        if (total <= cap) break;
        release(stalled);
        // A response without waiting bytes waits for its storage.
        if (stalled.writableLength > 0) stalled.destroy();
      }
    },
  };
}
