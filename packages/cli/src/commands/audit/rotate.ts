/** `daypass audit rotate`: another key signs the audit. */
import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { newAuditKey, publicKeys } from "@daypass/gateway/audit";
import type { AnnouncedKey } from "@daypass/gateway/state";
import { CommandError, type Context } from "../../command.ts";
import { readTextFile } from "../../files.ts";
import { asOwnerOf, createStateFile } from "../../state-folder/files.ts";
import { linkFiles } from "../../state-folder/link-files.ts";
import { openSharedState } from "../../state-folder/shared-rows.ts";
import { addPublicKey } from "../../state-owner/audit-seal.ts";

/** Which key signs from the next start on. */
export interface Rotation {
  readonly folder: string;
  readonly env: Context["env"];
  /** The file of a key that the operator made; a new `audit.key` by default. */
  readonly keyFile: string | undefined;
}

/** Announces a key to all replicas, and returns what to do next. Nothing changes until the gateways start again. */
export async function rotateAuditKey({ folder, env, keyFile }: Rotation): Promise<string> {
  const { auditKey: path } = linkFiles(folder);
  // An interrupted rotation may have announced this key.
  const next = `${path}.next`;
  return asOwnerOf(folder, async () => {
    if (keyFile === undefined) await createStateFile(next, newAuditKey().privateKey);
    const keys = await keysIn(keyFile ?? next);
    const ids = keys.map(({ id }) => id).join(", ");
    await announce(folder, env, keys);
    for (const { publicKey } of keys) await addPublicKey(folder, publicKey);
    if (keyFile !== undefined) return `announced: ${ids}. Gateways with this key may start now`;
    await rename(next, path);
    return `${ids} signs after a restart. Copy audit.key and audit.pub to the other replicas, if there are any`;
  });
}

async function keysIn(path: string): Promise<readonly AnnouncedKey[]> {
  try {
    return [...publicKeys(await readTextFile(path))].map(([id, key]) => {
      return { id, publicKey: key.export({ type: "spki", format: "pem" }).toString() };
    });
  } catch (error) {
    throw new CommandError(`${path} has no Ed25519 key that can be read: ${(error as Error).message}`);
  }
}

/** With SQLite, no other gateway needs to know the keys. */
async function announce(folder: string, env: Context["env"], keys: readonly AnnouncedKey[]): Promise<void> {
  if (!existsSync(linkFiles(folder).postgres)) return;
  const state = await openSharedState({ folder, env });
  try {
    for (const key of keys) await state.announceAuditKey?.(key, { isFirst: false });
  } finally {
    await state.close();
  }
}
