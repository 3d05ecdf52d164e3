/** The admin API in this process, for a state folder that no gateway serves. */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { createGateway, isStorageError, openLinks } from "@daypass/gateway";
import { type AdminApi, adminApi } from "@daypass/gateway/admin";
import { disk } from "@daypass/gateway/disk";
import { type State, sqliteState } from "@daypass/gateway/state";
import { CommandError } from "../command.ts";
import { keyRing } from "../commands/serve/key-ring.ts";
import { asOwnerOf } from "../state-folder/files.ts";
import { keyStore } from "../state-folder/key-store.ts";
import { createLinks, lastServed, linkFiles } from "../state-folder/link-files.ts";
import { auditSeal } from "../state-owner/audit-seal.ts";
import { openState } from "../state-owner/open-state.ts";
import { writerOf } from "../state-owner/writer.ts";
import { wireRequestOf } from "../url-request.ts";

const ORIGIN = "http://127.0.0.1:8080";

interface LocalAdmin {
  readonly api: AdminApi;
  close(): Promise<void>;
}

/** Opens state and storage as their owner. Fails if a gateway owns them. */
export async function openLocalAdmin(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<LocalAdmin> {
  // A database that its engine made would have the mode of any file.
  await createLinks(folder);
  const opened = await asOwnerOf(folder, () => openState(folder, env));
  return adminOf(opened, folder, env).catch(async (error: unknown) => {
    // Its connections would delay the end of the process.
    await opened.close();
    throw isStorageError(error) ? new CommandError(error.message) : error;
  });
}

/** The admin API of a folder that has no links: everything is empty, and nothing is stored. */
export async function emptyAdmin(): Promise<LocalAdmin> {
  const clock = () => new Date();
  const state = await sqliteState({ path: ":memory:" });
  const links = await openLinks({ state, clock });
  const none = (): never => {
    throw new CommandError("there are no links yet");
  };
  const storage = { head: none, list: none, buckets: async () => [] };
  const options = { origin: ORIGIN, origins: [], isLocal: true, clock, onError };
  return { api: adminApi({ links, storage, identify: none, ...options }), close: state.close };
}

function onError(error: unknown): void {
  process.stderr.write(`${error}\n`);
}

async function adminOf(
  opened: State,
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<LocalAdmin> {
  const clock = () => new Date();
  // The configuration of the gateway may name another key: then its next start signs.
  const { auditKey, auditPublicKey } = linkFiles(folder);
  const seal =
    existsSync(auditKey) || !existsSync(auditPublicKey)
      ? await asOwnerOf(folder, async () => auditSeal({ state: opened, folder, writer: await writerOf(folder), env }))
      : undefined;
  const state: State = seal === undefined ? opened : { ...opened, acceptRestore: seal.accept };
  const links = await openLinks({ state, clock });
  const { root = dirname(folder), linksOrigin: origin = ORIGIN } = lastServed(folder) ?? {};
  // If the folder's owner may not serve the root, no gateway of that user has an index there.
  const storage = await asOwnerOf(folder, () => disk({ root })).catch(() => disk({ root }));
  const keys = await keyRing(keyStore({ folder, env, clock }), {
    clock,
    publicKeys: () => [],
    onGone: () => undefined,
  });
  const gateway = createGateway({ storage, origins: [origin], keys: { s3: keys.s3, url: keys.url }, clock });
  const identify = (url: string) => gateway.verify(wireRequestOf(url));
  const api = adminApi({ links, storage, origin, origins: [], isLocal: true, identify, clock, onError });
  return {
    api,
    close: () =>
      asOwnerOf(folder, async () => {
        await gateway.close();
        const fault = await seal?.run();
        if (fault !== undefined) process.stderr.write(`daypass: the audit is not signed: ${fault}\n`);
        await state.close();
      }),
  };
}
