import { readFileSync } from "node:fs";
import type { StateUnavailable, StateUnusable } from "@daypass/gateway/state";
import { isDaypassError } from "daypass";
import { type Command, CommandError, type Context, type ExitStatus, UsageError } from "./command.ts";
import {
  hideSqliteWarning,
  holdReload,
  leaveSignalsToPrimary,
  refuseDebugger,
} from "./commands/serve/process-events.ts";
import { didYouMean } from "./nearest-name.ts";
import { redactMessage } from "./redact-message.ts";
import { escapeControls } from "./terminal-text.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/** All commands. Each is loaded on demand, so that signing one URL does not load a server. */
const COMMANDS: readonly CommandEntry[] = [
  {
    name: "serve",
    summary: "serve a folder through presigned URLs",
    async load() {
      // A service manager may send a signal before the server is loaded.
      refuseDebugger();
      // Takes some milliseconds to load, which other commands need not wait for.
      const { default: cluster } = await import("node:cluster");
      if (cluster.isWorker) leaveSignalsToPrimary();
      else holdReload();
      hideSqliteWarning();
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
  {
    name: "share",
    summary: "print a link to a file or folder, and serve it",
    async load() {
      hideSqliteWarning();
      return (await import("./commands/share/index.ts")).shareCommand;
    },
  },
  {
    name: "console",
    summary: "let a browser look after the links of a gateway",
    load: async () => (await import("./commands/console/index.ts")).consoleCommand,
  },
  {
    name: "links",
    summary: "create, list, change and revoke the links of a gateway",
    async load() {
      hideSqliteWarning();
      return (await import("./commands/links/index.ts")).linksCommand;
    },
  },
  {
    name: "revoke",
    summary: "refuse a URL, a key, a subject or a prefix that was valid",
    async load() {
      hideSqliteWarning();
      return (await import("./commands/revoke/index.ts")).revokeCommand;
    },
  },
  {
    name: "revocations",
    summary: "list revocations, and lift them",
    async load() {
      hideSqliteWarning();
      return (await import("./commands/revoke/index.ts")).revocationsCommand;
    },
  },
  {
    name: "edge",
    summary: "write what nginx needs to verify Daypass URLs by itself",
    load: async () => (await import("./commands/edge/index.ts")).edgeCommand,
  },
  {
    name: "webhooks",
    summary: "announce the use of links to a URL",
    async load() {
      hideSqliteWarning();
      return (await import("./commands/webhooks/index.ts")).webhooksCommand;
    },
  },
  {
    name: "tokens",
    summary: "create, list and revoke tokens of the admin API",
    async load() {
      hideSqliteWarning();
      return (await import("./commands/tokens/index.ts")).tokensCommand;
    },
  },
  {
    name: "audit",
    summary: "verify, export and follow the record of links and their use",
    async load() {
      hideSqliteWarning();
      return (await import("./commands/audit/index.ts")).auditCommand;
    },
  },
  {
    name: "state",
    summary: "move the links and keys of a gateway into PostgreSQL",
    async load() {
      hideSqliteWarning();
      return (await import("./commands/state/index.ts")).stateCommand;
    },
  },
];

/** Commands that the program starts itself. */
const HIDDEN: readonly CommandEntry[] = [
  {
    name: "state-owner",
    summary: "",
    async load() {
      hideSqliteWarning();
      return (await import("./state-owner/state-owner.ts")).stateOwnerCommand;
    },
  },
];

interface CommandEntry {
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const OVERVIEW = `daypass ${version}: sign, verify, explain and serve presigned URLs

${COMMANDS.map(({ name, summary }) => `  daypass ${name.padEnd(12)} ${summary}`).join("\n")}

daypass COMMAND --help lists its options. Exit status: 0 success, 1 refused or failed, 2 wrong usage.`;

/** Runs the command line `daypass …args` and returns its exit status. */
export async function runProgram(args: readonly string[], context: Context): Promise<ExitStatus> {
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
  const entry = [...COMMANDS, ...HIDDEN].find((candidate) => candidate.name === name);
  if (entry === undefined) {
    const names = COMMANDS.map((one) => one.name);
    const error = new UsageError(`${JSON.stringify(name)} is not a command${didYouMean(name, names)}`);
    return report(error, { called: "daypass", json, context });
  }
  try {
    const command = await entry.load();
    if (rest.includes("--help") || rest.includes("-h")) {
      context.stdout.write(`${command.help}\n`);
      return 0;
    }
    return await command.run(rest, context);
  } catch (error) {
    return report(error, { called: `daypass ${entry.name}`, json, context });
  }
}

interface Failure {
  /** The program, and the command if there is one. */
  readonly called: string;
  readonly json: boolean;
  readonly context: Context;
}

/** Prints an error as one line, or with `--json` as one object. Never prints a stack. */
async function report(error: unknown, { called, json, context }: Failure): Promise<ExitStatus> {
  const isUsage = error instanceof UsageError;
  const isKnown =
    isUsage || error instanceof CommandError || isDaypassError(error) || isSystemError(error) || isStateError(error);
  const message = await redactMessage(isKnown ? error.message : `${String(error)}, a bug of Daypass: please report it`);
  const code = codeOf(error);
  if (json) context.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  else {
    const hint = isUsage ? `${/[.?]$/.test(message) ? "" : "."} See ${called} --help` : "";
    context.stderr.write(
      `${escapeControls(`${called}: ${CODES_IN_JSON_ONLY.includes(code) ? "" : `${code}: `}${message}${hint}`)}\n`,
    );
  }
  return isUsage ? 2 : 1;
}

function codeOf(error: unknown): string {
  if (isDaypassError(error) || error instanceof CommandError || isStateError(error)) return error.code;
  return error instanceof UsageError ? "USAGE" : isSystemError(error) ? "FAILED" : "INTERNAL";
}

// Codes that add nothing to the message.
const CODES_IN_JSON_ONLY: readonly string[] = ["FAILED", "USAGE", "INTERNAL"];

const STATE_CODES: readonly unknown[] = ["STATE_UNUSABLE", "STATE_UNAVAILABLE"] satisfies (
  | StateUnusable
  | StateUnavailable
)["code"][];

/** Without the classes, which only commands with a state load. */
function isStateError(error: unknown): error is StateUnusable | StateUnavailable {
  return error instanceof Error && STATE_CODES.includes((error as { code?: unknown }).code);
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  // Node's permission model throws ERR_ACCESS_DENIED.
  return (
    error instanceof Error && ("syscall" in error || (error as NodeJS.ErrnoException).code === "ERR_ACCESS_DENIED")
  );
}
