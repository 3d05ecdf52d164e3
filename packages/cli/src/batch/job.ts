import type { FindKeys, LineDefaults } from "../commands/sign/complete-line.ts";
import type { LineAnswerer } from "../lines/answer.ts";
import type { AnswerWriterOptions } from "../lines/answer-writer.ts";
import { CSV_RECORDS, LINES, type RecordFormat } from "./record-format.ts";

/** The work of a batch, as data for worker threads. */
export type BatchJob = VerifyJob | SignJob;

/** `verify --batch`. */
export interface VerifyJob {
  readonly kind: "verify";
}

/** `sign --batch` and `sign --all`. */
export interface SignJob {
  readonly kind: "sign";
  /** The header row of a CSV input. Missing for JSON Lines. */
  readonly csvHeader?: string | undefined;
  readonly answers: AnswerWriterOptions;
  readonly defaults: LineDefaults;
}

/** The record format of a job's input. */
export function recordFormat(job: BatchJob): RecordFormat {
  return job.kind === "sign" && job.csvHeader !== undefined ? CSV_RECORDS : LINES;
}

/** Loads the code that processes lines. A main thread with workers does not need it. */
export async function lineProcessor(job: BatchJob, findKeys: FindKeys): Promise<LineAnswerer> {
  if (job.kind === "verify") return (await import("../lines/verify-line.ts")).verifyLines();
  const [{ signLines }, { answerWriter }, { lineCompleter }, csv] = await Promise.all([
    import("../lines/sign-line.ts"),
    import("../lines/answer-writer.ts"),
    import("../commands/sign/complete-line.ts"),
    job.csvHeader === undefined ? undefined : import("../lines/csv.ts"),
  ]);
  return signLines({
    read: job.csvHeader === undefined ? undefined : csv?.csvReader(job.csvHeader),
    write: answerWriter(job.answers),
    complete: lineCompleter(job.defaults, findKeys),
  });
}
