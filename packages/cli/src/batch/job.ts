import type { FindKeys, LineDefaults } from "../commands/sign/complete-line.ts";
import type { LineAnswerer } from "../lines/answer.ts";
import type { AnswerWriterOptions } from "../lines/answer-writer.ts";
import { CSV_RECORDS, LINES, type RecordFormat } from "./record-format.ts";

/** What is done with the lines of a batch: data, because it is sent to other threads. */
export type BatchJob = VerifyJob | SignJob;

export interface VerifyJob {
  readonly kind: "verify";
}

export interface SignJob {
  readonly kind: "sign";
  /** The header row of a CSV file; without one the records are JSON Lines. */
  readonly csvHeader?: string | undefined;
  readonly answers: AnswerWriterOptions;
  readonly defaults: LineDefaults;
}

/** How the records of a job's input are told apart. */
export function recordFormat(job: BatchJob): RecordFormat {
  return job.kind === "sign" && job.csvHeader !== undefined ? CSV_RECORDS : LINES;
}

/** Loads what answers the lines of a job. A thread that only hands out lines needs none of it. */
export async function lineAnswerer(job: BatchJob, findKeys: FindKeys): Promise<LineAnswerer> {
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
