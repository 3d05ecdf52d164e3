/** What the operator asks of a running gateway. */
export interface SignalHandlers {
  /** SIGHUP. */
  reload(): Promise<void>;
  /** The first SIGTERM or SIGINT. */
  drain(): Promise<void>;
  /** The second one: the operator does not want to wait. */
  kill(): void;
}

/** Waits until the gateway was told to stop and has done so. */
export function untilStopped(handlers: SignalHandlers): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    const stop = (): void => {
      if (stopping) {
        handlers.kill();
        return;
      }
      stopping = true;
      handlers.drain().then(resolve, reject);
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    process.on("SIGHUP", () => void handlers.reload());
  });
}
