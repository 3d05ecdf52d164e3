/** Signs the audit of a state that this process owns. */
import { createPublicKey } from "node:crypto";
import { appendFile, open } from "node:fs/promises";
import { auditKey, newAuditKey, type Sealer, sealer } from "@daypass/gateway/audit";
import type { State } from "@daypass/gateway/state";
import { CommandError } from "../command.ts";
import type { AuditConfig } from "../commands/serve/config-schema.ts";
import { readNamedFile, readTextIfExists } from "../files.ts";
import { createStateFile } from "../state/files.ts";
import { linkFiles } from "../state/link-files.ts";

const DAY_MS = 24 * 60 * 60_000;

/** What signs, and when it is called. */
export interface AuditSeal {
  /** Signs new records, then removes those that are old enough. */
  run(): Promise<void>;
}

/** Opens the key of a state folder, which the first call creates. */
export async function auditSeal(
  { state, folder, writer }: { readonly state: State; readonly folder: string; readonly writer: string },
  { keyFile, headsFile, retentionDays }: AuditConfig = {},
): Promise<AuditSeal> {
  const key = auditKey(keyFile === undefined ? await ownKey(folder) : await configuredKey(keyFile, folder));
  const { seal, cut }: Sealer = sealer({
    ...{ state, writer, key, clock: () => new Date() },
    onHead: headsFile === undefined ? undefined : (head) => append(headsFile, `${JSON.stringify(head)}\n`),
  });
  return {
    async run() {
      await seal();
      if (retentionDays !== undefined) await cut(Date.now() - retentionDays * DAY_MS);
    },
  };
}

async function ownKey(folder: string): Promise<string> {
  const { auditKey: path, auditPublicKey } = linkFiles(folder);
  const { privateKey, publicKey } = newAuditKey();
  if (await createStateFile(path, privateKey)) await createStateFile(auditPublicKey, publicKey);
  return (await readTextIfExists(path)) ?? privateKey;
}

async function configuredKey(path: string, folder: string): Promise<string> {
  const pem = await readNamedFile("audit.keyFile", path);
  if (pem === undefined) {
    throw new CommandError(
      `audit.keyFile names ${path}, which does not exist. Make it with: openssl genpkey -algorithm ed25519`,
    );
  }
  const publicKey = createPublicKey(pem).export({ type: "spki", format: "pem" }).toString();
  const { auditPublicKey: publicPath } = linkFiles(folder);
  // Records that an earlier key signed still verify.
  const known = (await readTextIfExists(publicPath)) ?? "";
  if (known === "") await createStateFile(publicPath, publicKey);
  else if (!known.includes(publicKey)) await appendFile(publicPath, publicKey);
  return pem;
}

/** The line is on its disk before the head is stored: a head that is not exported protects less. */
async function append(path: string, line: string): Promise<void> {
  const file = await open(path, "a", 0o600);
  try {
    await file.writeFile(line);
    await file.sync();
  } finally {
    await file.close();
  }
}
