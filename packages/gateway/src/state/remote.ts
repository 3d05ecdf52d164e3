/**
 * The state over a Unix socket: one process owns the SQLite file, the workers of the gateway call it. Lines of JSON, answered in any order.
 * @module
 */

import { chmodSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { unchecked } from "../unchecked.ts";
import { forEachMethod, isMethod, type MethodName, methods } from "./contract/methods.ts";
import type { Revocation } from "./contract/revocations.ts";
import { SlugTaken } from "./contract/slug-taken.ts";
import type { State } from "./contract/state.ts";
import { StateUnavailable } from "./contract/unavailable.ts";

/** How long a call waits for its state. */
const DEADLINE_MS = 5000;
const RECONNECT_MS = 50;
const AWAY: StateUnavailable["code"] = "STATE_UNAVAILABLE";

interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

interface Health {
  readonly isAway: boolean;
  readonly isFull: boolean;
  /** Why the audit is not signed; empty if it is. */
  readonly auditFault: string;
}

const HEALTHY: Health = { isAway: false, isFull: false, auditFault: "" };

interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: string;
  /** The code of the error, if a caller acts on it. */
  readonly code?: string | undefined;
  /** Sent to every connection when a revocation is added or lifted. */
  readonly revocations?: readonly Revocation[];
  /** Sent to every connection again and again when other replicas may change revocations. */
  readonly revision?: number;
  /**
   * Sent to every connection when the engine stops or resumes answering or storing, or its audit being signed: a worker without calls learns it, too.
   */
  readonly health?: Health;
}

/** A served state. */
export interface StateServer {
  /** Reports to every process why the audit is not signed; `undefined` if it is. */
  noteAudit(fault: string | undefined): void;
  /** Ends all connections, and closes the state. */
  close(): Promise<void>;
}

/**
 * Serves a state on the Unix socket `path`, which only this user can open.
 *
 * @example
 * ```ts
 * import { serveState, sqliteState } from "@daypass/gateway/state";
 *
 * const server = await serveState(await sqliteState({ path: "state.db" }), "state.sock");
 * await server.close();
 * ```
 */
export async function serveState(state: State, path: string): Promise<StateServer> {
  const sockets = new Set<Socket>();
  const send = (socket: Socket, reply: Reply): void => {
    if (socket.writable) writeLine(socket, JSON.stringify(reply, bytesAsText));
  };
  const broadcast = (reply: Reply): void => {
    for (const socket of sockets) send(socket, reply);
  };
  let health = HEALTHY;
  const setHealth = (next: Health): void => {
    health = next;
    broadcast({ health });
  };
  const note = (failedAsAway: boolean): void => {
    const isFull = state.isFull?.() === true;
    const { isAway, auditFault } = health;
    const isAwayNow = failedAsAway && !isFull;
    if (isAwayNow !== isAway || isFull !== health.isFull) setHealth({ isAway: isAwayNow, isFull, auditFault });
  };
  const answer = async ({ id, method, args }: Call): Promise<Reply> => {
    try {
      const called = isMethod(method) ? state[method] : undefined;
      if (called === undefined) throw new Error(`the state has no method ${method}`);
      const result: unknown = await Reflect.apply(called, state, args);
      if (method === "revoke" || method === "lift") broadcast({ revocations: [result as Revocation] });
      note(false);
      return { id, result };
    } catch (error) {
      const { code } = error as { code?: string };
      note(code === AWAY);
      return { id, error: String((error as Error).message), code };
    }
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    send(socket, { health });
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    linesOf(socket, async (line) => send(socket, await answer(JSON.parse(line) as Call)));
  });
  state.watch?.((revision) => broadcast({ revision }));
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
  chmodSync(path, 0o600);
  return {
    noteAudit(fault = "") {
      const { isAway, isFull, auditFault } = health;
      if (fault !== auditFault) setHealth({ isAway, isFull, auditFault: fault });
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await state.close();
    },
  };
}

/** Options of {@link connectState}. */
export interface ConnectOptions {
  readonly path: string;
  /** Receives each revocation as soon as it is made or lifted, by any process. */
  readonly onRevocations?: ((changes: readonly Revocation[]) => void) | undefined;
  /** Receives the revision of revocations that replicas share, about twice a second. Who knows a different one must read. */
  readonly onRevision?: ((revision: number) => void) | undefined;
  /** Called after each connection: what was missed in between must be read. */
  readonly onConnect?: (() => void) | undefined;
}

/**
 * A state that another process owns. While it is away, calls wait for five seconds and then reject with {@link StateUnavailable}. `close` waits
 * for the calls that were sent.
 *
 * @example
 * ```ts
 * import { connectState, serveState, sqliteState } from "@daypass/gateway/state";
 *
 * const server = await serveState(await sqliteState({ path: "state.db" }), "state.sock");
 * const state = connectState({ path: "state.sock" });
 * await state.close();
 * await server.close();
 * ```
 */
export function connectState({ path, onRevocations, onRevision, onConnect }: ConnectOptions): State {
  interface Pending extends Call {
    readonly method: MethodName;
    readonly resolve: (value: never) => void;
    readonly reject: (error: unknown) => void;
    readonly timer: NodeJS.Timeout;
    isSent: boolean;
  }
  const pending = new Map<number, Pending>();
  let socket: Socket | undefined;
  let closed = false;
  let nextId = 0;
  let health = HEALTHY;
  let onSettled = (): void => undefined;

  const transmit = (call: Pending): void => {
    if (socket === undefined) return;
    call.isSent = true;
    const { id, method, args } = call;
    writeLine(socket, JSON.stringify({ id, method, args }));
  };
  const finish = (id: number): Pending | undefined => {
    const call = pending.get(id);
    if (call === undefined) return undefined;
    pending.delete(id);
    clearTimeout(call.timer);
    if (pending.size === 0) onSettled();
    return call;
  };
  const receive = ({ id, result, error, code, revocations, revision, ...rest }: Reply): void => {
    if (revocations !== undefined) onRevocations?.(revocations);
    if (revision !== undefined) onRevision?.(revision);
    health = rest.health ?? health;
    const call = id === undefined ? undefined : finish(id);
    if (error === undefined) call?.resolve(unchecked(result));
    else if (code === AWAY) call?.reject(new StateUnavailable(error));
    else call?.reject(code === "SLUG_TAKEN" ? new SlugTaken() : new Error(error));
  };
  const open = (): void => {
    if (closed) return;
    const opened = connect(path);
    linesOf(opened, (line) => receive(JSON.parse(line) as Reply));
    opened.on("connect", () => {
      socket = opened;
      onConnect?.();
      for (const call of pending.values()) transmit(call);
    });
    opened.on("error", () => opened.destroy());
    opened.on("close", () => {
      socket = undefined;
      if (closed) onSettled();
      // A count whose answer was lost may have been committed: to repeat it could count twice.
      for (const { id, isSent, method } of [...pending.values()]) {
        if (isSent && !methods[method].repeatable)
          finish(id)?.reject(new StateUnavailable("the state left during a call"));
      }
      if (!closed) setTimeout(open, RECONNECT_MS).unref();
    });
  };
  open();

  const call = (method: MethodName, args: readonly unknown[]): Promise<never> =>
    new Promise((resolve, reject) => {
      if (closed) {
        reject(new StateUnavailable("the state is closed"));
        return;
      }
      const id = nextId++;
      const timer = setTimeout(
        () => finish(id)?.reject(new StateUnavailable("the state does not answer")),
        DEADLINE_MS,
      );
      const waiting: Pending = { id, method, args, resolve, reject, timer, isSent: false };
      pending.set(id, waiting);
      transmit(waiting);
    });

  return {
    ...forEachMethod(
      (method) =>
        (...args: readonly unknown[]) =>
          call(method, args),
    ),
    sharedByReplicas: false,
    isAvailable: () => socket !== undefined && !health.isAway,
    isFull: () => health.isFull,
    auditFault: () => health.auditFault || undefined,
    secret: async (name) => Buffer.from(await call("secret", [name]), "base64url"),
    async close() {
      closed = true;
      // The ends of the last responses are on their way: their deliveries would hold all their bytes.
      if (socket !== undefined && pending.size > 0) await new Promise<void>((resolve) => (onSettled = resolve));
      for (const id of [...pending.keys()]) finish(id)?.reject(new StateUnavailable("the state is closed"));
      socket?.destroy();
    },
  };
}

/** By hand: with `node:readline` and a write for each line, a claim costs its worker 60 % more processor time. */
function linesOf(socket: Socket, onLine: (line: string) => void): void {
  let rest = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
}

/** Lines that are ready together, such as the results of a commit, leave in one write. */
function writeLine(socket: Socket, line: string): void {
  if (socket.writableCorked === 0) {
    socket.cork();
    queueMicrotask(() => socket.uncork());
  }
  socket.write(`${line}\n`);
}

function bytesAsText(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64url") : value;
}
