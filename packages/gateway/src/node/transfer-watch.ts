/** The minimum rate of a client. */
export interface MinimumRate {
  /** The mean over the window; 0 means no minimum. */
  readonly bytesPerSecond: number;
  /** Length of the window over which the rate is measured, in milliseconds. */
  readonly windowMs: number;
}

/** A body under way, in either direction. */
export interface Transfer {
  /** Bytes moved so far. */
  bytes(): number;
  /** Whether it is the client that everything waits for. A slow disk is not the client's fault. */
  awaitsClient(): boolean;
  cut(): void;
}

/** Cuts transfers that are kept open by sending or taking a byte now and then. */
export interface TransferWatch {
  /** Returns the function that ends the watch. */
  watch(transfer: Transfer): () => void;
}

interface Window {
  readonly transfer: Transfer;
  startedAt: number;
  bytes: number;
}

/**
 * One timer for all transfers: a timer for each would cost more than the transfer of a small body. It ends with the last of them, as a
 * server that has drained says so to nobody here.
 */
export function transferWatch(rate: MinimumRate, now: () => number): TransferWatch {
  const windows = new Set<Window>();
  const least = (rate.bytesPerSecond * rate.windowMs) / 1000;
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    if (windows.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    const time = now();
    for (const window of windows) {
      const { transfer } = window;
      if (!transfer.awaitsClient()) {
        restart(window, time);
      } else if (time - window.startedAt >= rate.windowMs) {
        if (transfer.bytes() - window.bytes < least) transfer.cut();
        restart(window, time);
      }
    }
  }

  function restart(window: Window, time: number): void {
    window.startedAt = time;
    window.bytes = window.transfer.bytes();
  }

  return {
    watch(transfer) {
      const window = { transfer, startedAt: now(), bytes: transfer.bytes() };
      windows.add(window);
      timer ??= setInterval(look, Math.max(10, rate.windowMs / 4)).unref();
      return () => windows.delete(window);
    },
  };
}
