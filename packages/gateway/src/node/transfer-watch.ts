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
  /** Of what the kernel has taken, what has reached the client; nothing where that is not known. Costs more than {@link bytes}. */
  reached?(): Promise<number | undefined>;
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
  /** What had reached the client when it was last suspected. */
  reached: number | undefined;
  asked: boolean;
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
      const awaits = transfer.awaitsClient();
      if (awaits && time - window.startedAt < rate.windowMs) continue;
      if (awaits && transfer.bytes() - window.bytes < least) void suspect(window);
      else window.reached = undefined;
      restart(window, time);
    }
  }

  /** The kernel may be full of what the client still takes. So it has a second window, of which it shows what has come. */
  async function suspect(window: Window): Promise<void> {
    const { transfer, reached: before } = window;
    if (transfer.reached === undefined) return transfer.cut();
    if (window.asked) return;
    window.asked = true;
    const taken = transfer.bytes();
    const reached = await transfer.reached();
    window.asked = false;
    // The kernel may have been slow to tell, and what came by then is told: the next window begins here.
    restart(window, now());
    // The kernel took more while it was asked: it is not full, and what it said is too much by that.
    const isMoving = transfer.bytes() - taken >= least;
    window.reached = isMoving ? undefined : reached;
    if (isMoving) return;
    const isSlow = before !== undefined && reached !== undefined && reached - before < least;
    if ((reached === undefined || isSlow) && windows.has(window)) transfer.cut();
  }

  function restart(window: Window, time: number): void {
    window.startedAt = time;
    window.bytes = window.transfer.bytes();
  }

  return {
    watch(transfer) {
      const window = { transfer, startedAt: now(), bytes: transfer.bytes(), reached: undefined, asked: false };
      windows.add(window);
      timer ??= setInterval(look, Math.max(10, rate.windowMs / 4)).unref();
      return () => windows.delete(window);
    },
  };
}
