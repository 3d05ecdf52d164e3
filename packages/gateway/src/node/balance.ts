import { performance } from "node:perf_hooks";

/** Moves clients to another worker. */
export interface Balanced {
  /** Open now. */
  readonly connections: number;
  /** Closes this many connections, each with its next response: the client reconnects, and another worker may accept it. */
  shed(connections: number): void;
}

/** What a worker says of itself. */
export interface Load {
  /** Share of the time in which its event loop was busy, 0 to 1. */
  readonly busy: number;
  readonly connections: number;
}

/** Connections that one worker is to give up. */
export interface Move<W> {
  readonly worker: W;
  readonly connections: number;
}

/** Short beside the life of a connection that is worth moving. */
const PERIOD_MS = 250;
/** A worker with time to spare serves its clients as fast as two would. */
const FULL = 0.8;
const WORTH_A_MOVE = 0.3;

/**
 * The kernel gives a connection to whichever worker asks first, and one that asks for many at once gets all that came in a burst.
 * On connections that stay open the burst stays, too, and the other workers have nothing to do: half of what two could serve.
 * Finds the worker that has too much to do while another has time, and how much to take from it.
 */
export function surplus<W>(loads: ReadonlyMap<W, Load>): Move<W> | undefined {
  const byLoad = [...loads].sort(([, a], [, b]) => a.busy - b.busy);
  const [, idlest] = byLoad.at(0) ?? [];
  const [worker, fullest] = byLoad.at(-1) ?? [];
  if (worker === undefined || idlest === undefined || fullest === undefined) return undefined;
  const difference = fullest.busy - idlest.busy;
  if (fullest.busy < FULL || difference < WORTH_A_MOVE || fullest.connections < 2) return undefined;
  // Half of the difference: what the one gives up the other takes.
  return { worker, connections: Math.max(1, Math.floor((fullest.connections * difference) / 2)) };
}

/** Tells a worker's load whenever it has changed by much or the worker has become full, and after each move. */
export function watchLoad(server: Balanced, tell: (load: Load) => void): Balanced["shed"] {
  let last = performance.eventLoopUtilization();
  let told = Number.NaN;
  const look = (): void => {
    const now = performance.eventLoopUtilization();
    const { utilization: busy } = performance.eventLoopUtilization(now, last);
    last = now;
    if (Math.abs(busy - told) < WORTH_A_MOVE / 3 && busy < FULL === told < FULL) return;
    told = busy;
    tell({ busy, connections: server.connections });
  };
  setInterval(look, PERIOD_MS).unref();
  return (connections) => {
    // What was before the move says nothing about what comes after it.
    last = performance.eventLoopUtilization();
    told = Number.NaN;
    server.shed(connections);
  };
}
