import type { OutputStream } from "../command.ts";
import type { BatchCount } from "./batch.ts";

/** Tells a person how far a batch is. */
export interface Progress {
  update(count: BatchCount): void;
  end(count: BatchCount): void;
}

export interface ProgressOptions {
  readonly stderr: OutputStream;
  /** Reports also where standard error is no terminal: a line each time. */
  readonly isForced: boolean;
  /** The part of the input that has been read, see `BatchInput`. */
  readonly done: () => number | undefined;
  /** Milliseconds, for the rate. */
  readonly now?: () => number;
}

const TERMINAL_MS = 200;
const LOG_MS = 1000;

/**
 * Progress on standard error. A terminal gets one line that is written over; a pipe gets only the sum, and only if something
 * was refused, unless it is asked for.
 */
export function progress({ stderr, isForced, done, now = () => performance.now() }: ProgressOptions): Progress {
  const isTerminal = stderr.isTTY === true;
  const start = now();
  const startDone = done() ?? 0;
  let shown = start;
  const sum = ({ lines, refused }: BatchCount): string => {
    const seconds = Math.max(0.001, (now() - start) / 1000);
    return `${lines.toLocaleString("en")} lines, ${refused.toLocaleString("en")} refused, ${Math.round(lines / seconds).toLocaleString("en")}/s`;
  };
  const rest = (): string => {
    const part = done();
    if (part === undefined || part <= startDone) return "";
    const left = ((now() - start) / 1000) * ((1 - part) / (part - startDone));
    return `, ${Math.floor(part * 100)}%, ${timeText(left)} left`;
  };
  const show = (text: string, end: string): void => {
    // What has wrapped to a second line would stay.
    const room = end === "" && stderr.columns ? stderr.columns - 1 : undefined;
    stderr.write(isTerminal ? `\r\u001b[K${text.slice(0, room)}${end}` : `${text}\n`);
  };
  return {
    update(count) {
      if (!isTerminal && !isForced) return;
      if (now() - shown < (isTerminal ? TERMINAL_MS : LOG_MS)) return;
      shown = now();
      show(`${sum(count)}${rest()}`, "");
    },
    end(count) {
      if (isTerminal || isForced || count.refused > 0) show(sum(count), "\n");
    },
  };
}

/** `2:07`, or `1:02:07`. */
function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(whole / 3600);
  return hours === 0 ? parts.join(":").replace(/^0/, "") : `${hours}:${parts.join(":")}`;
}
