import { UsageError } from "../command.ts";

// A separate module, because commands load the rest of this folder only for a batch.

/** The options of every batch. */
export const BATCH_OPTIONS = {
  batch: { type: "string" },
  out: { type: "string" },
  resume: { type: "boolean" },
  workers: { type: "string" },
  progress: { type: "boolean" },
  strict: { type: "boolean" },
} as const;

/** The help text of these options. */
export const BATCH_HELP = `  --batch FILE|-        JSON Lines in, JSON Lines out: one result per line, in the same order; - reads standard input
  --out FILE            write results to FILE (mode 0600); default, and for -: standard output.
                        An existing file is overwritten unless --resume is given
  --resume              continue an interrupted run after the results that are already in --out FILE
  --workers N           threads that share the work (default 0)
  --progress            report progress even if standard error is not a terminal
  --strict              exit with 1 if a line was refused (default: 0 if every line has a result)`;

/** The values of {@link BATCH_OPTIONS}. */
export interface BatchArguments {
  readonly batch?: string | undefined;
  readonly out?: string | undefined;
  readonly resume?: boolean | undefined;
  readonly workers?: string | undefined;
  readonly progress?: boolean | undefined;
  readonly strict?: boolean | undefined;
}

/** Treats `--out -` as standard output. */
export function withOutput<A extends BatchArguments>(args: A): A {
  return args.out === "-" ? { ...args, out: undefined } : args;
}

/** Refuses the options of a batch without a batch. */
export function refuseBatchOptions(options: BatchArguments, others: readonly string[] = []): void {
  for (const name of ["out", "resume", "workers", "progress", "strict", ...others]) {
    if (Reflect.get(options, name) !== undefined) throw new UsageError(`--${name} needs --batch or --all`);
  }
}

/** Further options of `sign --batch`. */
export const SIGN_BATCH_OPTIONS = {
  format: { type: "string" },
  "out-format": { type: "string" },
  defaults: { type: "string" },
} as const;
