#!/usr/bin/env node
import cluster from "node:cluster";
import { isDaypassError } from "daypass";
import { type Command, CommandError, type Context, type ExitStatus, UsageError } from "./command.ts";
import { holdReload, leaveSignalsToPrimary, refuseDebugger } from "./commands/serve/signals.ts";
import { dropSqliteWarning } from "./commands/serve/sqlite-warning.ts";
import { printable } from "./printable.ts";
import { redactMessage } from "./redact-message.ts";
import { version } from "./version.ts";

/** The one list of commands. Each is loaded when it is asked for: signing one URL needs no server. */
const COMMANDS: readonly CommandEntry[] = [
  {
    name: "serve",
    summary: "serve a folder through presigned URLs",
    async load() {
      // What a service manager sends may come before the rest is loaded.
      refuseDebugger();
      if (cluster.isWorker) leaveSignalsToPrimary();
      else holdReload();
      dropSqliteWarning();
      return (await import("./commands/serve/index.ts")).serveCommand;
    },
  },
  {
    name: "sign",
    summary: "create a presigned URL, or one per line of a batch",
    load: async () => (await import("./commands/sign/index.ts")).signCommand,
  },
  {
    name: "verify",
    summary: "check whether a URL would be accepted, and what it grants",
    load: async () => (await import("./commands/verify/index.ts")).verifyCommand,
  },
  {
    name: "explain",
    summary: "show what a URL is, when it expires, and why it is refused",
    load: async () => (await import("./commands/explain/index.ts")).explainCommand,
  },
  {
    name: "doctor",
    summary: "find out why a bucket's presigned URLs do not work",
    load: async () => (await import("./commands/doctor/index.ts")).doctorCommand,
  },
  {
    name: "scan",
    summary: "find presigned URLs in logs, files and Git history, and tell which still work",
    load: async () => (await import("./commands/scan/index.ts")).scanCommand,
  },
  {
    name: "keys",
    summary: "create, list, rotate and revoke the keys of a gateway",
    load: async () => (await import("./commands/keys/index.ts")).keysCommand,
  },
];

interface CommandEntry {
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const OVERVIEW = `daypass ${version}: sign, verify, explain and serve presigned URLs

${COMMANDS.map(({ name, summary }) => `  daypass ${name.padEnd(8)} ${summary}`).join("\n")}

daypass COMMAND --help lists its options. Exit status: 0 success, 1 refused or failed, 2 wrong usage.`;

async function main(args: readonly string[], context: Context): Promise<ExitStatus> {
  const [first, second] = args;
  const [name, ...rest] = first === "help" && second !== undefined ? [second, "--help"] : args;
  if (name === "--version" || name === "-v") {
    context.stdout.write(`${version}\n`);
    return 0;
  }
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    (name === undefined ? context.stderr : context.stdout).write(`${OVERVIEW}\n`);
    return name === undefined ? 2 : 0;
  }
  const json = args.includes("--json");
  const entry = COMMANDS.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    return report(new UsageError(`expected a command, found ${JSON.stringify(name)}`), {
      words: ["daypass"],
      json,
      context,
    });
  }
  try {
    const command = await entry.load();
    if (rest.includes("--help") || rest.includes("-h")) {
      context.stdout.write(`${command.help}\n`);
      return 0;
    }
    return await command.run(rest, context);
  } catch (error) {
    return report(error, { words: ["daypass", entry.name], json, context });
  }
}

interface Failure {
  /** What was called, as it was typed. */
  readonly words: readonly string[];
  readonly json: boolean;
  readonly context: Context;
}

/** One line for a person, one object for a program, never a stack. */
async function report(error: unknown, { words, json, context }: Failure): Promise<ExitStatus> {
  const isUsage = error instanceof UsageError;
  const isKnown = isUsage || error instanceof CommandError || isDaypassError(error) || isSystemError(error);
  const message = await redactMessage(isKnown ? error.message : `unexpected ${String(error)}: please report it`);
  const code = codeOf(error);
  if (json) context.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  else {
    const called = words.join(" ");
    const hint = isUsage ? `; see ${called} --help` : "";
    context.stderr.write(`${printable(`${called}: ${isTold(code) ? `${code}: ` : ""}${message}${hint}`)}\n`);
  }
  return isUsage ? 2 : 1;
}

function codeOf(error: unknown): string {
  if (isDaypassError(error) || error instanceof CommandError) return error.code;
  return error instanceof UsageError ? "USAGE" : isSystemError(error) ? "FAILED" : "INTERNAL";
}

// These say no more than the message does.
function isTold(code: string): boolean {
  return !["FAILED", "USAGE", "INTERNAL"].includes(code);
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  // The second is what Node's permission model refuses.
  return (
    error instanceof Error && ("syscall" in error || (error as NodeJS.ErrnoException).code === "ERR_ACCESS_DENIED")
  );
}

// `daypass sign --batch … | head` closes the pipe when it has enough: nothing is left to do, and nothing went wrong here.
// A full disk behind `> FILE` is told.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") process.stderr.write(`daypass: standard output: ${error.message}\n`);
  process.exit(1);
});

// Whoever read the progress has gone: that is no reason to stop a batch in the middle, nor could anybody be told.
process.stderr.on("error", () => undefined);

let readsInput = false;
const context: Context = {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  get stdin() {
    readsInput = true;
    return process.stdin;
  },
};
process.exitCode = await main(process.argv.slice(2), context);
// A program that holds a dialogue would wait for an answer that does not come, and this one for its next line.
if (readsInput) process.stdin.destroy();
