/** The admin API in this process, for a state folder that no gateway serves. */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { createGateway, openLinks } from "@daypass/gateway";
import { type AdminApi, adminApi } from "@daypass/gateway/admin";
import { disk } from "@daypass/gateway/disk";
import type { State } from "@daypass/gateway/state";
import { CommandError } from "../command.ts";
import { keyRing } from "../commands/serve/key-ring.ts";
import { keyStore } from "../state-folder/key-store.ts";
import { lastServed, linkFiles } from "../state-folder/link-files.ts";
import { auditSeal } from "../state-owner/audit-seal.ts";
import { openState, writerOf } from "../state-owner/open-state.ts";
import { wireRequestOf } from "../url-request.ts";

const ORIGIN = "http://127.0.0.1:8080";

/** Opens state and storage as their owner. Fails if a gateway owns them. */
export async function openLocalAdmin(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly api: AdminApi; close(): Promise<void> }> {
  const clock = () => new Date();
  const opened = await openState(folder, env).catch((error: Error) => {
    throw new CommandError(
      `the links in ${folder} cannot be opened: ${error.message}. Start the gateway, or stop the program that uses them.`,
    );
  });
  // The configuration of the gateway may name another key: then its next start signs.
  const { auditKey, auditPublicKey } = linkFiles(folder);
  const seal =
    existsSync(auditKey) || !existsSync(auditPublicKey)
      ? await auditSeal({ state: opened, folder, writer: writerOf(folder), env })
      : undefined;
  const state: State = seal === undefined ? opened : { ...opened, acceptRestore: seal.accept };
  const { root = dirname(folder), linksOrigin: origin = ORIGIN } = lastServed(folder) ?? {};
  const storage = await disk({ root });
  const links = await openLinks({ state, clock });
  const keys = await keyRing(keyStore({ folder, env, clock }), {
    clock,
    publicKeys: () => [],
    onGone: () => undefined,
  });
  const gateway = createGateway({ storage, origins: [origin], keys: { s3: keys.s3, url: keys.url }, clock });
  const identify = (url: string) => gateway.verify(wireRequestOf(url));
  const onError = (error: unknown): void => void process.stderr.write(`${error}\n`);
  const api = adminApi({ links, storage, origin, origins: [], isLocal: true, identify, clock, onError });
  return {
    api,
    async close() {
      await gateway.close();
      const fault = await seal?.run();
      if (fault !== undefined) process.stderr.write(`daypass: the audit is not signed: ${fault}\n`);
      await state.close();
    },
  };
}
