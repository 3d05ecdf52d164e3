/** The process that owns the state's database: a child of the primary, which restarts it. */
import { type ChildProcess, fork } from "node:child_process";
import type { Log } from "@daypass/gateway/node";
import { type State, type StateServer, serveState } from "@daypass/gateway/state";
import { type Command, CommandError, type Context, type ExitStatus } from "../command.ts";
import type { AuditConfig } from "../commands/serve/config-schema.ts";
import type { ServeSettings } from "../commands/serve/settings.ts";
import { becomeOwnerOf } from "../state-folder/files.ts";
import { hasLinks, linkFiles } from "../state-folder/link-files.ts";
import { type AuditSeal, auditSeal } from "./audit-seal.ts";
import { beginRun, openState, recordDatabase, SUSPENDED } from "./open-state.ts";
import { revocationCopy } from "./revocation-file.ts";
import { restartDelay, untilOpen } from "./until-open.ts";
import { writerOf } from "./writer.ts";

/** How often deliveries whose time is over are ended. */
const SWEEP_MS = 30_000;
/** How often the copy of the revocations is brought up to date. */
const COPY_MS = 5000;
/** How often new records are signed. */
const SEAL_MS = 60_000;
/** How often the name of the folder's writer is renewed: a copy of the folder is older than the last renewal. */
const RENEW_MS = 5000;

/** `daypass state-owner FOLDER`: hidden, started by `serve`. */
export const stateOwnerCommand: Command = {
  help: "daypass state-owner FOLDER: owns the database of a state folder. Started by daypass serve.",
  run: (args, context) =>
    own(args, context).catch(async (error: Error) => {
      await new Promise((sent) => process.send?.({ failure: error.message }, undefined, undefined, sent) ?? sent(null));
      throw error;
    }),
};

async function own([folder = "", audit = "{}"]: readonly string[], { env }: Pick<Context, "env">): Promise<ExitStatus> {
  // Signals reach the whole group, and the primary decides when this process ends.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
  becomeOwnerOf(folder);
  const files = linkFiles(folder);
  // Without a callback, a primary that was stopped during the start makes this an uncaught error.
  const ready = (): void => void process.send?.("ready", undefined, undefined, () => undefined);
  if (!process.connected) return 0;
  // A database that does not answer takes seconds, and the primary waits for the end of this process.
  const leave = (): void => process.exit(0);
  process.once("disconnect", leave);
  let connected: State | undefined;
  const open = async () => {
    connected ??= await openState(folder, env, report);
    const { restored, suspended } = await beginRun(connected, folder);
    if (restored) report(SUSPENDED, { suspended });
    const sealed = { state: connected, folder, writer: await writerOf(folder), env };
    return { state: connected, seal: await auditSeal(sealed, JSON.parse(audit) as AuditConfig) };
  };
  const { state, seal } = await untilOpen(open, {
    onFault(error) {
      report("the state does not open, and is tried again each second", { error });
      // Meanwhile, the gateway serves by its copies of revocations and keys, if they are young enough.
      ready();
    },
  })
    .catch(async (error: unknown) => {
      // The primary waits for the end of this process, which its connections would delay.
      await connected?.close().catch(() => undefined);
      throw error;
    })
    .finally(() => process.off("disconnect", leave));
  const acceptRestore = async (): Promise<string> => {
    const accepted = await seal.accept();
    server.noteAudit(undefined);
    return accepted;
  };
  const server = await serveState({ ...state, acceptRestore }, files.stateSocket);
  const copy = revocationCopy(state, files.revocations, () => new Date());
  const update = (): void => void copy.update().catch(() => undefined);
  update();
  await state.sweep().catch(() => undefined);
  await runSeal(seal, server);
  const timers = [
    setInterval(() => void state.sweep().catch(() => undefined), SWEEP_MS),
    setInterval(() => void renewWriter(state).then(() => runSeal(seal, server)), SEAL_MS),
    setInterval(() => void renewWriter(state), RENEW_MS),
    setInterval(update, COPY_MS),
  ];
  ready();
  if (process.connected) await new Promise<void>((resolve) => process.once("disconnect", resolve));
  for (const timer of timers) clearInterval(timer);
  // The next start may find the state away, and the copy is all that it has then.
  await Promise.all([runSeal(seal, server), copy.update().catch(() => undefined)]);
  await server.close();
  await copy.close();
  return 0;
}

/** Ends this process if the gateway of a copied folder has taken the name: the next start says what to do. A lease survives failures in between. */
async function renewWriter({ holdWriter }: State): Promise<void> {
  await holdWriter?.().catch((error: unknown) => {
    if (error instanceof CommandError) process.exit(1);
  });
}

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

/** The owner of a state. */
interface StateOwner {
  /** Resolves when the state is open, or is tried again. Rejects if the first start fails. */
  readonly started: Promise<void>;
  stop(): Promise<void>;
}

/** Starts the owner, and starts it again if it dies. */
function startStateOwner(
  { state: folder, audit = {} }: Pick<ServeSettings, "state" | "audit">,
  onExit: (code: number | null) => void,
): StateOwner {
  let child: ChildProcess | undefined;
  let stopped = false;
  /** How often in a row it exited before the state was open. */
  let failures = 0;
  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const started = fork(process.argv[1] ?? "", ["state-owner", folder, JSON.stringify(audit)], {
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      });
      child = started;
      started.once("message", (message: "ready" | { readonly failure: string }) => {
        if (message === "ready") {
          failures = 0;
          resolve();
        } else reject(new CommandError(message.failure));
      });
      started.once("exit", (code) => {
        if (stopped) return;
        reject(new CommandError("the process that owns the links could not start"));
        onExit(code);
        setTimeout(() => {
          if (!stopped) void start().catch(() => undefined);
        }, restartDelay(failures));
        failures += 1;
      });
    });
  return {
    started: start().catch((error: unknown) => {
      stopped = true;
      throw error;
    }),
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

/** The owner of a gateway's state, if there is something to own. */
export interface StateOwners {
  /** Starts it, and waits until the state is open or is tried again. */
  ensure(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the owner of a gateway's state when there is something to own. */
export function stateOwners(settings: ServeSettings, log: Log): StateOwners {
  const { state: folder, database } = settings;
  let owner: StateOwner | undefined;
  return {
    async ensure() {
      if (owner !== undefined) return owner.started;
      if (database !== undefined || hasLinks(folder)) await recordDatabase(folder, database);
      if (!hasLinks(folder)) return;
      owner ??= startStateOwner(settings, (code) =>
        log.logger.error({ code }, "the process that owns the links exited, another replaces it"),
      );
      await owner.started.catch((error: unknown) => {
        owner = undefined;
        throw error;
      });
    },
    stop: async () => owner?.stop(),
  };
}
