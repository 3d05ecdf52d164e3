/** Reactions to the signals of a running gateway. */
export interface SignalHandlers {
  /** The first SIGTERM or SIGINT. */
  drain(): Promise<void>;
  /** The second one: the operator does not want to wait. */
  kill(): void;
}

/**
 * Ignores SIGUSR1. Other servers reopen their log at this signal; Node would open its debugger, which gives every user of the machine
 * access to the keys.
 */
export function refuseDebugger(): void {
  process.on("SIGUSR1", () => undefined);
}

let isReloadDue = false;

function rememberReload(): void {
  isReloadDue = true;
}

/**
 * Remembers SIGHUP until {@link onReload} handles it. Without a listener SIGHUP ends the process, and a service manager may send it
 * while the gateway starts.
 */
export function holdReload(): void {
  process.on("SIGHUP", rememberReload);
}

/** For a worker: the primary handles the signals that reach the whole process group (Ctrl-C, systemd's SIGTERM). */
export function leaveSignalsToPrimary(): void {
  for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"] as const) process.on(signal, () => undefined);
}

/** Resolves after a signal has stopped the gateway. */
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
  });
}

/** Reloads at each SIGHUP, and now if one came during the start. */
export function onReload(reload: () => Promise<void>): void {
  process.on("SIGHUP", () => void reload());
  process.off("SIGHUP", rememberReload);
  if (isReloadDue) void reload();
}

/**
 * Hides Node's warning that SQLite is experimental. Node 22 and 24 print it in every process as a line that is not JSON. The functions in
 * use are tested on these versions.
 */
export function hideSqliteWarning(): void {
  const emit = process.emitWarning as (...args: readonly unknown[]) => void;
  process.emitWarning = (...args: readonly unknown[]): void => {
    if (args[1] === "ExperimentalWarning" && String(args[0]).startsWith("SQLite ")) return;
    emit.apply(process, [...args]);
  };
}
