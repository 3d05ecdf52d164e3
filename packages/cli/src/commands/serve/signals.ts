/** What the operator asks of a running gateway. */
export interface SignalHandlers {
  /** SIGHUP. */
  reload(): Promise<void>;
  /** The first SIGTERM or SIGINT. */
  drain(): Promise<void>;
  /** The second one: the operator does not want to wait. */
  kill(): void;
}

/**
 * SIGUSR1, which other servers take for "open the log again", would open Node's debugger to every user of the machine, and with it the keys.
 */
export function refuseDebugger(): void {
  process.on("SIGUSR1", () => undefined);
}

let isReloadDue = false;

function rememberReload(): void {
  isReloadDue = true;
}

/**
 * From now on SIGHUP, which ends a process that does not listen for it, is remembered until {@link untilStopped} can answer it: a service
 * manager may send it as soon as the process exists, and does not start again what SIGHUP has ended.
 */
export function holdReload(): void {
  process.on("SIGHUP", rememberReload);
}

/** For a worker: what reaches every process of a group (Ctrl-C, a closed terminal, systemd's SIGTERM), the primary answers for all. */
export function leaveSignalsToPrimary(): void {
  for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"] as const) process.on(signal, () => undefined);
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
    process.off("SIGHUP", rememberReload);
    if (isReloadDue) void handlers.reload();
  });
}
