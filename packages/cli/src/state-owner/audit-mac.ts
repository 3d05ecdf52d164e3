/** The key and the memory that authenticate the commits of a state folder. */
import { createHmac, randomBytes } from "node:crypto";
import { existsSync, openSync, writeSync } from "node:fs";
import type { CommitMac, MacOptions } from "@daypass/gateway/state";
import { CommandError } from "../command.ts";
import { parseSecretJson, readTextIfExists } from "../files.ts";
import { createStateFile } from "../state-folder/files.ts";
import { linkFiles } from "../state-folder/link-files.ts";
import { hasStoredKeys, masterKey } from "../state-folder/master-key.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const KEY_BYTES = 32;
/** A new commit overwrites the one before, whatever their lengths. */
const LAST_BYTES = 160;
/** A write for each commit costs a twentieth of a claim. */
const REMEMBER_MS = 100;

/**
 * The key of the MACs: its own file, which is not in a copy of the database. Replicas share the key that derives from their master key.
 *
 * @param options `create`: whether to make a missing key, as the owner of the state does
 */
export async function auditMacKey(
  folder: string,
  env: Environment,
  { create }: { readonly create: boolean },
): Promise<Uint8Array> {
  const { auditMacKey: path, postgres } = linkFiles(folder);
  if (existsSync(postgres)) {
    return sharedMacKey(await masterKey({ env, folder, create: create && !hasStoredKeys(folder) }));
  }
  if (create && !existsSync(path)) await createStateFile(path, `${randomBytes(KEY_BYTES).toString("base64url")}\n`);
  const key = Buffer.from(((await readTextIfExists(path)) ?? "").trim(), "base64url");
  if (key.length === KEY_BYTES) return key;
  throw new CommandError(`${path} is missing or damaged, and it authenticates the audit. Restore it from a backup.`);
}

/** The key of all replicas. */
export function sharedMacKey(master: Uint8Array): Uint8Array {
  return createHmac("sha256", master).update("daypass: MACs of the audit, version 1").digest();
}

/** How the owner of a folder authenticates its commits. It remembers the last one in a file, which costs no flush: the database has flushed it. */
export async function auditMac(folder: string, env: Environment): Promise<MacOptions> {
  const { auditLast } = linkFiles(folder);
  if (!existsSync(auditLast)) await createStateFile(auditLast, "");
  const last = parseSecretJson((await readTextIfExists(auditLast)) ?? "") as CommitMac | undefined;
  const file = openSync(auditLast, "r+");
  let latest = last;
  let isWaiting = false;
  const write = (): void => {
    isWaiting = false;
    try {
      writeSync(file, JSON.stringify(latest).padEnd(LAST_BYTES), 0);
    } catch {
      // On a full disk, the file names an earlier commit, which protects as much as it says.
    }
  };
  return {
    key: await auditMacKey(folder, env, { create: true }),
    last,
    onCommit(commit) {
      latest = commit;
      if (!isWaiting) setTimeout(write, REMEMBER_MS).unref();
      isWaiting = true;
    },
  };
}
