/** Waits for a state that does not open: a gateway without it reads no request, but it does not exit. */
import { setTimeout } from "node:timers/promises";
import { StateUnusable } from "@daypass/gateway/state";
import { CommandError } from "../command.ts";

const RETRY_MS = 1000;
const REPORT_MS = 60_000;
const RESTART_MS = 200;
const MAX_RESTART_MS = 10_000;

/** Options of {@link untilOpen}. */
export interface WaitOptions {
  /** Receives why the state did not open: at once, and then each minute. */
  readonly onFault: (error: string) => void;
  /** Whether the cause may pass. By default, all but errors that the operator must correct: a setting, a key, a release. */
  readonly mayPass?: ((error: unknown) => boolean) | undefined;
  /** Milliseconds that never jump: `performance.now` by default. */
  readonly monotonic?: (() => number) | undefined;
  /** Waits a number of milliseconds: with a timer by default. */
  readonly pause?: ((ms: number) => Promise<void>) | undefined;
}

/** Tries each second until `open` succeeds. Rejects if the cause cannot pass. */
export async function untilOpen<T>(
  open: () => Promise<T>,
  { onFault, mayPass = isPassing, monotonic = () => performance.now(), pause = setTimeout }: WaitOptions,
): Promise<T> {
  for (let reportedAt = Number.NEGATIVE_INFINITY; ; await pause(RETRY_MS)) {
    try {
      return await open();
    } catch (error) {
      if (!mayPass(error)) throw error;
      if (monotonic() - reportedAt < REPORT_MS) continue;
      reportedAt = monotonic();
      onFault((error as Error).message);
    }
  }
}

/** How many milliseconds pass before the owner of a state starts again that exited so often in a row: each start costs half a second of work. */
export function restartDelay(failures: number): number {
  return Math.min(RESTART_MS * 2 ** failures, MAX_RESTART_MS);
}

function isPassing(error: unknown): boolean {
  return !(error instanceof CommandError || error instanceof StateUnusable || error instanceof TypeError);
}
