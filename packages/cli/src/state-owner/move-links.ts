/** Moves the links and keys of a state folder into the database of replicas. */
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { type MoveOptions, moveState } from "@daypass/gateway/state";
import { CommandError, type Context } from "../command.ts";
import type { ServeSettings } from "../commands/serve/settings.ts";
import type { DatabaseSettings } from "../commands/serve/state-config.ts";
import { asOwnerOf, syncFolder } from "../state-folder/files.ts";
import { ownFolder } from "../state-folder/gateway-socket.ts";
import { fileRows } from "../state-folder/key-rows.ts";
import { keyStore } from "../state-folder/key-store.ts";
import { linkFiles } from "../state-folder/link-files.ts";
import { withLock } from "../state-folder/lock.ts";
import { hasStoredKeys, masterKey } from "../state-folder/master-key.ts";
import { sealRow } from "../state-folder/shared-rows.ts";
import { sharedMacKey } from "./audit-mac.ts";
import { auditSeal } from "./audit-seal.ts";
import { beginRun, openState, recordDatabase, secretOf, secretSeal } from "./open-state.ts";
import { writerOf } from "./writer.ts";

type Settings = Pick<ServeSettings, "state" | "database" | "audit">;

/** Returns the new names of the files. Throws, and changes no link, if a gateway serves the folder or the database has a state. */
export async function moveLinks({ state: folder, database, audit }: Settings, env: Context["env"]): Promise<string[]> {
  const files = linkFiles(folder);
  if (database === undefined)
    throw new CommandError("the configuration has no state.postgres. Name the database there");
  if (existsSync(files.postgres)) throw new CommandError(`the links of ${folder} are in PostgreSQL already`);
  if (!existsSync(files.database))
    throw new CommandError(`${folder} has no links. Start the gateway: it moves keys.json by itself`);
  const url = secretOf("state.postgres", database.postgres, env);
  const owned = await ownFolder(folder, `daypass state move (process ${process.pid})`);
  try {
    return await withLock(`${join(folder, "keys.json")}.lock`, async ({ expectHeld }) => {
      // The gateway would not start with a key that the master key does not decrypt.
      await keyStore({ folder, env, clock: () => new Date() }).active();
      const master = await masterKey({ env, folder, create: !hasStoredKeys(folder) });
      const keys = (await fileRows(folder).read()).map((row) => sealRow(master, row, 1));
      return asOwnerOf(folder, async () => {
        await signAll(folder, audit, env);
        return moveFiles(folder, database, { url, keys, master, beforeCommit: expectHeld });
      });
    });
  } finally {
    await owned.release();
  }
}

interface Target extends Pick<MoveOptions, "url" | "keys" | "beforeCommit"> {
  readonly master: Uint8Array;
}

async function moveFiles(
  folder: string,
  database: DatabaseSettings,
  { url, keys, master, beforeCommit }: Target,
): Promise<string[]> {
  const files = linkFiles(folder);
  let isMoved = false;
  const renamed: string[] = [];
  const retire = async (path: string): Promise<void> => {
    if (!existsSync(path)) return;
    await rename(path, `${path}.moved`);
    renamed.push(basename(`${path}.moved`));
  };
  await moveState({
    path: files.database,
    url,
    seal: secretSeal(master),
    macKey: sharedMacKey(master),
    keys,
    beforeCommit,
    async afterCommit() {
      isMoved = true;
      // First: with the run of SQLite, the database would look like a restored one.
      await retire(files.run);
      await recordDatabase(folder, database);
      for (const path of [files.database, join(folder, "keys.json"), files.auditMacKey]) await retire(path);
      await rm(`${files.database}-reserve`, { force: true });
      await syncFolder(folder);
    },
  }).catch((error: Error) => {
    const outcome = isMoved ? "the links were moved, but not every file was renamed" : "nothing was moved";
    throw new CommandError(`${outcome}: ${error.message}`);
  });
  return renamed;
}

/** Signs all records, as the gateway does when it stops. Counted links are suspended if the file was restored from a backup. */
async function signAll(folder: string, audit: Settings["audit"], env: Context["env"]): Promise<void> {
  const state = await openState(folder, env);
  try {
    await beginRun(state, folder);
    const seal = await auditSeal({ state, folder, writer: await writerOf(folder), env }, audit);
    const fault = await seal.run();
    if (fault !== undefined) throw new CommandError(`nothing was moved, because the audit is not signed: ${fault}`);
  } finally {
    await state.close();
  }
}
