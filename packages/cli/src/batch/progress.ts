import type { OutputStream } from "../command.ts";

/** The number of results so far. */
export interface BatchCount {
  readonly lines: number;
  readonly refused: number;
}

/** The progress display of a batch. */
export interface Progress {
  update(count: BatchCount): void;
  end(count: BatchCount): void;
}

/** Options of {@link progress}. */
export interface ProgressOptions {
  readonly stderr: OutputStream;
  /** Whether to report even if standard error is not a terminal, one line each time. */
  readonly isForced: boolean;
  /** The part of the input that has been read, see `BatchInput`. */
  readonly done: () => number | undefined;
  /** Milliseconds, for the rate. */
  readonly now?: () => number;
}

const TERMINAL_MS = 200;
const LOG_MS = 1000;

/** Progress on standard error. A terminal shows one line that is overwritten. A pipe gets only the total, and only if a line was refused. */
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
    // A wrapped line would not be overwritten.
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
