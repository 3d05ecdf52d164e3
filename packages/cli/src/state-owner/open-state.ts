/** Opens the state of a folder: PostgreSQL if its settings are stored in the folder, and otherwise the SQLite file. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import {
  type BegunRun,
  postgresState,
  type SecretSeal,
  type State,
  StateUnavailable,
  StateUnusable,
  sqliteState,
} from "@daypass/gateway/state";
import { CommandError } from "../command.ts";
import type { DatabaseSettings, SecretPlace } from "../commands/serve/state-config.ts";
import { writeStateFile } from "../state-folder/files.ts";
import { linkFiles } from "../state-folder/link-files.ts";
import { hasStoredKeys, masterKey, seal, unseal } from "../state-folder/master-key.ts";
import { auditMac } from "./audit-mac.ts";
import { writerClaim, writerOf } from "./writer.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Stores where the links of a folder are, for its other processes and for commands. Never the address itself. */
export async function recordDatabase(folder: string, database: DatabaseSettings | undefined): Promise<void> {
  const { postgres } = linkFiles(folder);
  if (database === undefined) rmSync(postgres, { force: true });
  else await writeStateFile(postgres, `${JSON.stringify(database)}\n`);
}

/** Opens the state as its owner. `report` receives what an operator should know. */
export async function openState(
  folder: string,
  env: Environment,
  report: (message: string, details: object) => void = () => undefined,
): Promise<State> {
  const { database, postgres } = linkFiles(folder);
  const mac = await auditMac(folder, env);
  if (!existsSync(postgres)) {
    return sqliteState({ path: database, mac }).catch((error: Error) => {
      if (error instanceof StateUnusable) throw error;
      throw new StateUnavailable(`${database} cannot be opened: ${error.message}. Does another gateway use it?`);
    });
  }
  const settings = JSON.parse(readFileSync(postgres, "utf8")) as DatabaseSettings;
  let fault = "";
  return postgresState({
    url: secretOf("state.postgres", settings.postgres, env),
    direct: settings.direct === undefined ? undefined : secretOf("state.direct", settings.direct, env),
    connections: settings.connections,
    suspendAfterFailover: settings.suspendAfterFailover,
    writer: await writerOf(folder),
    claim: await writerClaim(folder),
    seal: secretSeal(await masterKey({ env, folder, create: !hasStoredKeys(folder) })),
    mac,
    onFault({ message }) {
      // One line for each outage, not for each attempt.
      if (message !== fault) report("PostgreSQL does not answer", { error: message });
      fault = message;
    },
    onSuspended: (suspended) => report(SUSPENDED, { suspended }),
  });
}

/** Begins a run of the state. It was restored if the database does not know the last run of the folder. */
export async function beginRun(state: State, folder: string): Promise<BegunRun> {
  const { run: path } = linkFiles(folder);
  const seen = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  const begun = await state.beginRun(seen);
  const { run } = begun;
  // In place: a file that is emptied first stays empty on a full disk, and the next start would take it for a restore.
  writeFileSync(path, run, { mode: 0o600, flag: seen?.length === run.length ? "r+" : "w" });
  return begun;
}

/** Seals the secrets of the state with the master key. */
export function secretSeal(master: Uint8Array): SecretSeal {
  const context = (name: string): string => JSON.stringify(["daypass: secret of the state, version 1", name]);
  return {
    seal: (secret, name) =>
      Buffer.from(seal(master, Buffer.from(secret).toString("base64url"), context(name)), "base64url"),
    open(sealed, name) {
      const text = unseal(master, Buffer.from(sealed).toString("base64url"), context(name));
      return text === undefined ? undefined : Buffer.from(text, "base64url");
    },
  };
}

/** The report of a state that may have lost claims. */
export const SUSPENDED =
  "the state was restored: counted links are suspended, and older URLs with uses refused, until `daypass links resume --all`";

/** The secret that a setting names. */
export function secretOf(setting: string, { file, variable }: SecretPlace, env: Environment): string {
  if (file === undefined) {
    const value = env[variable ?? ""];
    if (value) return value;
    throw new CommandError(`${setting} names the environment variable ${variable}, which is not set. Set it.`);
  }
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(`${setting} names ${file}, which cannot be read (${code}). Correct the path.`);
  }
}
