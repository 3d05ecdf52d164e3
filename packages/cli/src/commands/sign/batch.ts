import { isObject, type JsonObject } from "daypass/schemes";
import { word } from "../../arguments.ts";
import type { SignJob } from "../../batch/job.ts";
import type { BatchArguments } from "../../batch/options.ts";
import { takeRecord } from "../../batch/record-blocks.ts";
import { CSV_RECORDS, LINES } from "../../batch/record-format.ts";
import { batchInput, resultsToResume, runBatch, skipExisting } from "../../batch/run.ts";
import { CommandError, type Context, type ExitStatus, UsageError } from "../../command.ts";
import { parseSecretJson, readNamedFile } from "../../files.ts";
import { type AnswerFormat, answerWriter, signedForm } from "../../lines/answer-writer.ts";
import { csvReader } from "../../lines/csv.ts";
import { repeatsMember } from "../../lines/json-members.ts";
import { keyFinder, type LineDefaults } from "./complete-line.ts";
import { checkCommonOptions, type SignOptions } from "./options.ts";
import { loadTarget, schemeOfTarget } from "./targets/index.ts";

export type SignBatchArguments = BatchArguments &
  SignOptions & {
    readonly format?: string | undefined;
    readonly "out-format"?: string | undefined;
    readonly defaults?: string | undefined;
  };

/** `daypass sign [TARGET] --batch FILE|-`. The target sets the bucket of all lines. */
export async function signBatch(
  args: SignBatchArguments & { readonly batch: string },
  target: string | undefined,
  context: Context,
): Promise<ExitStatus> {
  const format = formatOf("--format", args.format, args.batch) === "csv" ? CSV_RECORDS : LINES;
  const answers = { format: formatOf("--out-format", args["out-format"], args.out), echo: [] };
  const { header } = answerWriter(answers);
  const defaults = await lineDefaults(args, target);
  const existing = await resultsToResume(args, signedForm(answers));
  const input = await batchInput(args, { format, stdin: context.stdin });
  const { csvHeader, blocks } = format === CSV_RECORDS ? await withoutHeader(input.blocks) : { blocks: input.blocks };
  const resume = { existing, hasHeader: header !== undefined, format, out: args.out };
  const job: SignJob = { kind: "sign", csvHeader, answers, defaults };
  return runBatch(
    {
      job,
      header,
      existing,
      done: input.done,
      unclosed: input.unclosed,
      findKeys: keyFinder(args, context),
      blocks: await skipExisting(blocks, { ...resume, existing }),
    },
    args,
    context,
  );
}

/** The format of a file: the option, or the extension of its name. */
export function formatOf(option: string, asked: string | undefined, path: string | undefined): AnswerFormat {
  if (asked !== undefined) return word(option, asked, ["jsonl", "csv"]);
  return path?.toLowerCase().endsWith(".csv") === true ? "csv" : "jsonl";
}

async function withoutHeader(blocks: Parameters<typeof takeRecord>[0]): Promise<{
  readonly csvHeader: string;
  readonly blocks: Parameters<typeof takeRecord>[0];
}> {
  const { text, rest } = await takeRecord(blocks, CSV_RECORDS);
  if (text === undefined)
    throw new CommandError("the CSV has no header row in UTF-8. Name the fields in its first line");
  // Spreadsheets write a byte order mark.
  const csvHeader = text.replace(/^\ufeff/, "");
  csvReader(csvHeader);
  return { csvHeader, blocks: rest };
}

/** The fields of all lines: from `--defaults FILE`, the options and the target. */
export async function lineDefaults(args: SignBatchArguments, target: string | undefined): Promise<LineDefaults> {
  checkCommonOptions(args);
  const file = args.defaults === undefined ? {} : await defaultsFile(args.defaults);
  const scheme = target === undefined ? file["scheme"] : schemeOfTarget(target);
  if (scheme !== undefined && typeof scheme !== "string")
    throw new CommandError('scheme in the --defaults file is not a string. Write a name such as "s3"');
  const located = target === undefined ? {} : ((await loadTarget(scheme))?.locate(target) ?? {});
  if (["key", "object", "blob"].some((name) => name in located))
    throw new UsageError("the target of a batch has a key. Name the bucket alone, and the keys in the lines");
  return { scheme, fields: { ...file, ...located }, options: args };
}

async function defaultsFile(path: string): Promise<JsonObject> {
  const text = await readNamedFile("--defaults", path);
  const value = parseSecretJson(text);
  if (!isObject(value)) throw new CommandError(`${path} is not one JSON object. Write the fields that all lines share`);
  if (repeatsMember(text, value)) throw new CommandError(`${path} names a field twice. Remove one of them`);
  return value;
}
