import { DaypassError, isDaypassError } from "daypass";
import { describe, isObject, type JsonObject } from "daypass/schemes";
import { repeatsMember } from "./json-members.ts";

/** The answer to one line. */
export interface Answer {
  readonly text: string;
  readonly refused: boolean;
}

/** A line that cannot be read as text. */
export interface Unreadable {
  /** Completes "the line …". */
  readonly problem: string;
}

export const TOO_LONG: Unreadable = { problem: "is longer than 1 MB. Split it" };
export const NOT_UTF8: Unreadable = { problem: "is not UTF-8. Save the file as UTF-8" };

/** Answers one line of a batch. Never throws or rejects. */
export type LineAnswerer = (line: string | Unreadable) => Answer | Promise<Answer>;

const BYTE_ORDER_MARK = 0xfeff;

/** Reads a line, which must be a JSON object. Errors do not quote the line, because it may contain a secret. */
export function parseLine(line: string | Unreadable): JsonObject {
  if (typeof line !== "string") throw unreadable(line.problem);
  let value: unknown;
  try {
    // Windows writes a byte order mark at the start of a file. After files are joined, any line may begin with one.
    value = JSON.parse(line.charCodeAt(0) === BYTE_ORDER_MARK ? line.slice(1) : line);
  } catch {
    throw unreadable(notJson(line));
  }
  if (!isObject(value)) throw unreadable(`is ${describe(value)}. ${REMEDY}`);
  if (repeatsMember(line, value)) throw unreadable("names a field twice. Remove one of them");
  return value;
}

const REMEDY = "Write one JSON object a line";

function notJson(line: string): string {
  if (line.trim() === "") return `is empty. ${REMEDY}`;
  return line.includes("\0") ? "has zero bytes, as UTF-16 has them. Save the file as UTF-8" : `is not JSON. ${REMEDY}`;
}

function unreadable(problem: string): DaypassError {
  return new DaypassError("INVALID_INPUT", `the line ${problem}`);
}

/** Adds the options that can replace a field of the line, which the library does not know. */
function advised(message: string): string {
  const lacksLife = message.startsWith("expiresIn is missing");
  return lacksLife ? `${message}: give one in the line, or --expires-in or --defaults for all of them` : message;
}

/** Code and message of a thrown value. An error that is not a `DaypassError` is a fault of the program, not of the input. */
export function errorFields(error: unknown): { readonly code: string; readonly message: string } {
  if (isDaypassError(error)) return { code: error.code, message: advised(error.message) };
  return {
    code: "INTERNAL",
    message: `${error instanceof Error ? error.name : "an unknown error"}, a bug of Daypass: report it`,
  };
}
