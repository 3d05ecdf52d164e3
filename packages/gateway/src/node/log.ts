import { hostname } from "node:os";
import { pid } from "node:process";
import { type Level, type Logger, pino } from "pino";
import { expectForms, type FormsOf } from "../http/validate-options.ts";
import type { AccessEvent, LoggedDeletion } from "../pipeline/access-log.ts";
import { logFile } from "./log-file.ts";

/** Options of {@link openLog}. */
export interface LogOptions {
  /** File descriptor or path; by default standard output, 1. */
  readonly destination?: number | string | undefined;
  /** Level of the lines that do not belong to a single request; `info` by default. */
  readonly level?: Level | undefined;
}

/** An open log. */
export interface Log {
  /** For entries that do not belong to a single request. */
  readonly logger: Logger;
  /** Writes one line per request, and one for each object of a DeleteObjects: pass it to `createGateway` as `accessLog`. */
  readonly accessLog: (event: AccessEvent) => void;
  /** Writes the lines in memory. If the reader of a pipe reads nothing for two seconds, the rest is discarded. */
  close(): Promise<void>;
}

const LEVELS: readonly Level[] = ["fatal", "error", "warn", "info", "debug", "trace"];
const OPTIONS: FormsOf<LogOptions> = {
  destination: [
    (value) => Number.isSafeInteger(value) || (typeof value === "string" && value !== ""),
    "a file descriptor or a path",
  ],
  level: [(value) => LEVELS.some((level) => level === value), `one of ${LEVELS.join(", ")}`],
};

/**
 * Opens a log of JSON lines in pino's format. It is written in the background: if the process crashes, at most half a second
 * is lost.
 *
 * No line contains a signature, a session token or a secret: URLs appear only with the values of an allow-list of parameters.
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { openLog } from "@daypass/gateway/node";
 *
 * const log = openLog({ level: "warn" });
 * log.logger.warn({ port: 8080 }, "this is no request");
 * await log.close();
 * ```
 */
export function openLog(options: LogOptions = {}): Log {
  expectForms(options, OPTIONS);
  const file = logFile(options.destination ?? 1);
  const logger = pino({ level: options.level ?? "info" }, file);
  const accessLog = (event: AccessEvent): void => {
    file.write(requestLine(event));
    for (const deletion of event.deletions ?? []) file.write(deletionLine(event, deletion));
  };
  return { logger, accessLog, close: () => file.close() };
}

// pino's fields, equal in every line.
const INTRO = `,"pid":${pid},"hostname":${JSON.stringify(hostname())},"msg":"request","requestId":"`;

/**
 * Formats the line of a request without pino, which takes 2 µs for these fields; this takes a third. Only fields with client-chosen text need
 * escaping.
 */
export function requestLine(event: AccessEvent): string {
  const { error } = event;
  let line = `{"level":${levelOf(event)},"time":${event.time}${INTRO}${event.requestId}","method":${quoted(event.method)},"host":${quoted(event.host)},"url":${quoted(event.url)},"status":${event.status},"bytes":${event.bytes},"duration":${event.duration}`;
  if (!event.complete) line += ',"complete":false';
  if (event.remoteAddress !== undefined) line += `,"remoteAddress":${quoted(event.remoteAddress)}`;
  if (event.scheme !== undefined) {
    line += `,"scheme":"${event.scheme}","keyId":${quoted(event.keyId ?? "")},"grantId":"${event.grantId}"`;
  }
  if (event.parentKeyId !== undefined) line += `,"parentKeyId":${quoted(event.parentKeyId)}`;
  if (event.code !== undefined) line += `,"code":"${event.code}"`;
  if (event.reason !== undefined) line += `,"reason":${quoted(event.reason)}`;
  if (error !== undefined) line += `,"err":${errorFields(error)}`;
  return `${line}}\n`;
}

/** 501 is not an error of the gateway. */
function levelOf({ status, error }: AccessEvent): number {
  return error !== undefined || (status >= 500 && status !== 501) ? 50 : 30;
}

/** Formats the line of a deleted object. One line with a thousand keys is too long for log collectors. */
function deletionLine({ time, requestId, keyId }: AccessEvent, { bucket, key, code }: LoggedDeletion): string {
  const fields = { level: 30, time, pid, hostname: hostname(), msg: "deletion", requestId, keyId, bucket, key, code };
  return `${JSON.stringify(fields)}\n`;
}

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function errorFields(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify({ message: String(error) });
  return JSON.stringify({ type: error.name, message: error.message, stack: error.stack });
}
