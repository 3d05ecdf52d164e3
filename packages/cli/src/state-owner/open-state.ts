/** Opens the state of a folder: PostgreSQL if its settings are stored in the folder, and otherwise the SQLite file. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { postgresState, type SecretSeal, type State, sqliteState } from "@daypass/gateway/state";
import { CommandError } from "../command.ts";
import type { DatabaseSettings, SecretPlace } from "../commands/serve/state-config.ts";
import { linkFiles } from "../state-folder/link-files.ts";
import { hasStoredKeys, masterKey, seal, unseal } from "../state-folder/master-key.ts";
import { auditMac } from "./audit-mac.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Stores where the links of a folder are, for its other processes and for commands. Never the address itself. */
export function recordDatabase(folder: string, database: DatabaseSettings | undefined): void {
  const { postgres } = linkFiles(folder);
  if (database === undefined) rmSync(postgres, { force: true });
  else writeFileSync(postgres, `${JSON.stringify(database)}\n`, { mode: 0o600 });
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
      throw new CommandError(`${database} cannot be opened: ${error.message}. Does another gateway use it?`);
    });
  }
  const settings = JSON.parse(readFileSync(postgres, "utf8")) as DatabaseSettings;
  let fault = "";
  return postgresState({
    url: secretOf("state.postgres", settings.postgres, env),
    direct: settings.direct === undefined ? undefined : secretOf("state.direct", settings.direct, env),
    connections: settings.connections,
    suspendAfterFailover: settings.suspendAfterFailover,
    writer: writerOf(folder),
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

function secretSeal(master: Uint8Array): SecretSeal {
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
export const SUSPENDED = "the state was restored: counted links are suspended until `daypass links resume`";

/** The name under which the gateway of a folder records decisions: the same at each start, and another on each machine. */
export function writerOf(folder: string): string {
  if (!existsSync(linkFiles(folder).postgres)) return "main";
  return createHash("sha256")
    .update(`${hostname()}\n${resolve(folder)}`)
    .digest("hex")
    .slice(0, 12);
}

function secretOf(setting: string, { file, variable }: SecretPlace, env: Environment): string {
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
