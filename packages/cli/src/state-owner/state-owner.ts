/** The process that owns the state's database: a child of the primary, which restarts it. */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Log } from "@daypass/gateway/node";
import { type StateServer, StateUnavailable, serveState } from "@daypass/gateway/state";
import { type Command, CommandError } from "../command.ts";
import type { AuditConfig } from "../commands/serve/config-schema.ts";
import type { ServeSettings } from "../commands/serve/settings.ts";
import { hasLinks, linkFiles } from "../state-folder/link-files.ts";
import { type AuditSeal, auditSeal } from "./audit-seal.ts";
import { cleanSockets } from "./link-service.ts";
import { openState, recordDatabase, SUSPENDED, writerOf } from "./open-state.ts";

/** How often deliveries whose time is over are ended. */
const SWEEP_MS = 30_000;
/** How often new records are signed. */
const SEAL_MS = 60_000;
const RESTART_MS = 200;

/** `daypass state-owner FOLDER`: hidden, started by `serve`. */
export const stateOwnerCommand: Command = {
  help: "daypass state-owner FOLDER: owns the database of a state folder. Started by daypass serve.",
  async run([folder = "", audit = "{}"], { env }) {
    // Signals reach the whole group, and the primary decides when this process ends.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
    const files = linkFiles(folder);
    const state = await openState(folder, env, report);
    const begin = async (): Promise<void> => {
      const seen = existsSync(files.run) ? readFileSync(files.run, "utf8") : undefined;
      const { run, suspended } = await state.beginRun(seen);
      // In place: a file that is emptied first stays empty on a full disk, and the next start would take it for a restore.
      writeFileSync(files.run, run, { mode: 0o600, flag: seen?.length === run.length ? "r+" : "w" });
      if (suspended > 0) report(SUSPENDED, { suspended });
    };
    // A database on another machine may be away when the gateway starts, which then serves what needs no state.
    for (let hasBegun = false; !hasBegun; ) {
      hasBegun = await begin().then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof StateUnavailable)) throw error;
          process.send?.("ready");
          return !process.connected;
        },
      );
    }
    const seal = await auditSeal({ state, folder, writer: writerOf(folder), env }, JSON.parse(audit) as AuditConfig);
    const acceptRestore = async (): Promise<string> => {
      const accepted = await seal.accept();
      server.noteAudit(undefined);
      return accepted;
    };
    const server = await serveState({ ...state, acceptRestore }, files.stateSocket);
    await state.sweep().catch(() => undefined);
    await runSeal(seal, server);
    const timers = [
      setInterval(() => void state.sweep().catch(() => undefined), SWEEP_MS),
      setInterval(() => void runSeal(seal, server), SEAL_MS),
    ];
    // Without a callback, a primary that was stopped during the start makes this an uncaught error.
    process.send?.("ready", undefined, undefined, () => undefined);
    if (process.connected) await new Promise<void>((resolve) => process.once("disconnect", resolve));
    for (const timer of timers) clearInterval(timer);
    await runSeal(seal, server);
    await server.close();
    return 0;
  },
};

/** Records stay unsigned until the next run if this one fails, and nothing else waits for it. */
async function runSeal(seal: AuditSeal, server: StateServer): Promise<void> {
  try {
    const fault = await seal.run();
    server.noteAudit(fault);
    if (fault !== undefined) report("the audit is not signed any more", { level: 50, error: fault });
  } catch (error) {
    report("the audit could not be signed", { error: (error as Error).message });
  }
}

function report(msg: string, details: object): void {
  process.stderr.write(`${JSON.stringify({ level: 40, time: Date.now(), pid: process.pid, ...details, msg })}\n`);
}

/** The running owner of a state. */
export interface StateOwner {
  stop(): Promise<void>;
}

/** Starts the owner, and starts it again if it dies. Rejects if the first start fails. */
export async function startStateOwner(
  { state: folder, audit = {} }: Pick<ServeSettings, "state" | "audit">,
  onExit: (code: number | null) => void,
): Promise<StateOwner> {
  let child: ChildProcess | undefined;
  let stopped = false;
  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const started = fork(process.argv[1] ?? "", ["state-owner", folder, JSON.stringify(audit)], {
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      });
      child = started;
      started.once("message", () => resolve());
      started.once("exit", (code) => {
        reject(new CommandError("the process that owns the links could not start"));
        if (stopped) return;
        onExit(code);
        setTimeout(() => {
          if (!stopped) void start().catch(() => undefined);
        }, RESTART_MS);
      });
    });
  await start().catch((error: unknown) => {
    stopped = true;
    throw error;
  });
  return {
    async stop() {
      stopped = true;
      const ending = child;
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
      await new Promise<void>((resolve) => {
        ending.once("exit", () => resolve());
        ending.disconnect();
      });
    },
  };
}

/** Starts the owner of a gateway's state when there is something to own. */
export function stateOwners(settings: ServeSettings, log: Log): { ensure(): Promise<void>; stop(): Promise<void> } {
  const { state: folder, database } = settings;
  let owner: StateOwner | undefined;
  return {
    async ensure() {
      if (owner !== undefined) return;
      if (database !== undefined || hasLinks(folder)) recordDatabase(folder, database);
      if (!hasLinks(folder)) return;
      cleanSockets(folder);
      owner = await startStateOwner(settings, (code) =>
        log.logger.error({ code }, "the process that owns the links exited, another replaces it"),
      );
    },
    stop: async () => owner?.stop(),
  };
}
