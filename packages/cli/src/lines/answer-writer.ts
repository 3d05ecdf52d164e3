import type { JsonObject, LineResult } from "daypass/schemes";
import { type Answer, errorFields } from "./answer.ts";
import { csvRecord } from "./csv.ts";

/** The formats of the answers of `sign --batch`. */
export type AnswerFormat = "jsonl" | "csv";

/** Writes the answer to a line as text. */
export interface AnswerWriter {
  /** The first line of the output, if the format has one. */
  readonly header?: string;
  signed(result: LineResult, line: JsonObject): Answer;
  refused(error: unknown, line: JsonObject | undefined): Answer;
}

/** The format, and fields to repeat. */
export interface AnswerWriterOptions {
  readonly format: AnswerFormat;
  /** Fields of the line that its answer begins with: bucket and key for lines that a listing made. */
  readonly echo: readonly string[];
}

export function answerWriter({ format, echo }: AnswerWriterOptions): AnswerWriter {
  return format === "csv" ? csvWriter(echo) : jsonWriter(echo);
}

/** How a resumed batch recognises answers of {@link answerWriter} in a file. */
export function signedForm(options: AnswerWriterOptions): {
  readonly header: string | undefined;
  readonly begins: readonly string[];
  readonly names: readonly string[];
} {
  const names = ["url", "cookies", "error"];
  const [first] = options.echo;
  return {
    header: answerWriter(options).header,
    begins: (first === undefined ? names : [first]).map((name) => `{"${name}":`),
    names,
  };
}

function jsonWriter(echo: readonly string[]): AnswerWriter {
  const begin = (line: JsonObject | undefined): string =>
    echo.length === 0 ? "{" : `{${echo.map((name) => `"${name}":${JSON.stringify(line?.[name] ?? null)}`).join(",")},`;
  return {
    signed(result, line) {
      const { expiresAt, warnings } = result;
      return {
        text: `${begin(line)}${grantedText(result)},"expiresAt":"${endText(expiresAt)}","warnings":${warnings.length === 0 ? "[]" : JSON.stringify(warnings)}}`,
        refused: false,
      };
    },
    refused(error, line) {
      const { code, message } = errorFields(error);
      return { text: `${begin(line)}"error":${JSON.stringify({ code, message })}}`, refused: true };
    },
  };
}

function grantedText(result: LineResult): string {
  if ("cookies" in result) return `"cookies":${JSON.stringify(result.cookies)}`;
  const url = `"url":${JSON.stringify(result.url)}`;
  if ("fields" in result) return `${url},"fields":${JSON.stringify(result.fields)}`;
  return `${url},"method":${methodJson(result.method)},"headers":${isEmpty(result.headers) ? "{}" : JSON.stringify(result.headers)}`;
}

// Most batches have one method and no headers, and `JSON.stringify` costs a tenth of a line each time.
let lastMethod = "";
let lastMethodJson = '""';

function methodJson(method: string): string {
  if (method !== lastMethod) {
    lastMethod = method;
    lastMethodJson = JSON.stringify(method);
  }
  return lastMethodJson;
}

function isEmpty(headers: Readonly<Record<string, string>>): boolean {
  for (const _ in headers) return false;
  return true;
}

const CSV_COLUMNS = ["url", "method", "expiresAt", "error", "message", "headers", "fields", "cookies", "warnings"];

function csvWriter(echo: readonly string[]): AnswerWriter {
  const record = (line: JsonObject | undefined, cells: Readonly<Record<string, string>>): string => {
    const echoed = echo.map((name) => oneLine(String(line?.[name] ?? "")));
    return csvRecord([...echoed, ...CSV_COLUMNS.map((name) => cells[name] ?? "")]);
  };
  return {
    header: csvRecord([...echo, ...CSV_COLUMNS]),
    signed(result, line) {
      const cells = {
        expiresAt: endText(result.expiresAt),
        warnings: jsonCell(result.warnings),
        ...("cookies" in result
          ? { cookies: jsonCell(result.cookies) }
          : "fields" in result
            ? { url: result.url, fields: jsonCell(result.fields) }
            : { url: result.url, method: result.method, headers: jsonCell(result.headers) }),
      };
      return { text: record(line, cells), refused: false };
    },
    refused(error, line) {
      const { code, message } = errorFields(error);
      return { text: record(line, { error: code, message: oneLine(message) }), refused: true };
    },
  };
}

function jsonCell(value: object): string {
  const text = JSON.stringify(value);
  return text === "{}" || text === "[]" ? "" : text;
}

// `--resume` counts the lines of a file, so an answer must be one line.
function oneLine(text: string): string {
  return text.replace(/[\r\n]/g, " ");
}

// Most lines of a batch have the same expiry.
let lastEnd = Number.NaN;
let lastEndText = "";

function endText(end: Date): string {
  if (end.getTime() !== lastEnd) {
    lastEnd = end.getTime();
    lastEndText = end.toISOString();
  }
  return lastEndText;
}
