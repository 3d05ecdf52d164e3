/** Signs the audit of a state that this process owns. */
import { createPublicKey } from "node:crypto";
import { open } from "node:fs/promises";
import {
  auditKey,
  type ExportedHead,
  HistoryChanged,
  newAuditKey,
  publicKeys,
  readHeads,
  type Sealer,
  sealer,
} from "@daypass/gateway/audit";
import type { AnnouncedKey, State } from "@daypass/gateway/state";
import { CommandError } from "../command.ts";
import type { AuditConfig } from "../commands/serve/config-schema.ts";
import { readNamedFile, readTextIfExists } from "../files.ts";
import { createStateFile, writeStateFile } from "../state-folder/files.ts";
import { linkFiles } from "../state-folder/link-files.ts";
import { auditMacKey } from "./audit-mac.ts";
import { headsBucket } from "./heads-bucket.ts";

const DAY_MS = 24 * 60 * 60_000;
/** The object with the last head of every writer. */
const KEPT = "kept.ndjson";

const lineOf = (head: ExportedHead): string => `${JSON.stringify(head)}\n`;

/** What signs, and when it is called. */
export interface AuditSeal {
  /** Signs new records, then removes those that are old enough. Returns why it does not, if the operator must decide. */
  run(): Promise<string | undefined>;
  /** Signs on after a restore, and returns why it had stopped. Rejects if it had not. */
  accept(): Promise<string>;
}

/** Whose audit to sign. */
export interface SealedState {
  readonly state: State;
  readonly folder: string;
  readonly writer: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Opens the key of a state folder, which the first call creates. */
export async function auditSeal(
  { state, folder, writer, env }: SealedState,
  { keyFile, headsFile, heads, retentionDays }: AuditConfig = {},
): Promise<AuditSeal> {
  const { auditPublicKey, auditHeads, auditKept } = linkFiles(folder);
  const pem = keyFile === undefined ? await ownKey(folder) : await configuredKey(keyFile);
  const bucket = heads && headsBucket(heads, env);
  const publicKey = publicOf(pem);
  await addPublicKey(folder, publicKey);
  const key = auditKey(pem);
  await expectAnnounced(state, { id: key.id, publicKey });
  const keys = new Map(publicKeys((await readTextIfExists(auditPublicKey)) ?? publicKey));
  /** Learns keys that were announced since: other replicas may sign with them already. */
  const learnKeys = async (): Promise<void> => {
    for (const text of (await state.auditKeys?.()) ?? []) {
      await addPublicKey(folder, text);
      for (const [id, one] of publicKeys(text)) keys.set(id, one);
    }
  };
  const { seal, cut, accept }: Sealer = sealer({
    state,
    writer,
    key,
    keys,
    macKey: await auditMacKey(folder, env, { create: true }),
    kept: {
      // A new machine has no file, but the bucket knows what others kept.
      load: async () => readHeads((await readTextIfExists(auditKept)) ?? (await bucket?.get(KEPT)) ?? ""),
      async save(latest) {
        const text = latest.map(lineOf).join("");
        await writeStateFile(auditKept, text);
        await bucket?.put(KEPT, text);
      },
    },
    clock: () => new Date(),
    async onHead(head) {
      await append(headsFile ?? auditHeads, lineOf(head));
      const { last } = JSON.parse(head.head);
      await bucket?.put(`${head.writer}/${last}.ndjson`, lineOf(head));
    },
  });
  return {
    async accept() {
      await learnKeys();
      return accept();
    },
    async run() {
      await learnKeys();
      try {
        await seal();
      } catch (error) {
        if (error instanceof HistoryChanged) return error.message;
        throw error;
      }
      if (retentionDays !== undefined) await cut(Date.now() - retentionDays * DAY_MS);
      return undefined;
    },
  };
}

/** Refuses a key with which no other replica could verify the audit. The first replica announces its own. */
async function expectAnnounced(state: State, key: AnnouncedKey): Promise<void> {
  await state.announceAuditKey?.(key, { isFirst: true });
  if ((await state.auditKeys?.())?.includes(key.publicKey) === false) throw new CommandError(NOT_ANNOUNCED);
}

const NOT_ANNOUNCED =
  "other replicas sign the audit with another key. Copy audit.key and audit.pub from one of them, or announce this one there with daypass audit rotate --key audit.pub";

async function ownKey(folder: string): Promise<string> {
  const { auditKey: path } = linkFiles(folder);
  const { privateKey } = newAuditKey();
  await createStateFile(path, privateKey);
  return (await readTextIfExists(path)) ?? privateKey;
}

async function configuredKey(path: string): Promise<string> {
  const pem = await readNamedFile("audit.keyFile", path);
  if (pem !== undefined) return pem;
  throw new CommandError(
    `audit.keyFile names ${path}, which does not exist. Make it with: openssl genpkey -algorithm ed25519`,
  );
}

function publicOf(pem: string): string {
  return createPublicKey(pem).export({ type: "spki", format: "pem" }).toString();
}

/** Adds a public key to `audit.pub`, where earlier ones stay: their records still verify. */
export async function addPublicKey(folder: string, publicKey: string): Promise<void> {
  const { auditPublicKey: path } = linkFiles(folder);
  if (await createStateFile(path, publicKey)) return;
  const known = (await readTextIfExists(path)) ?? "";
  if (!known.includes(publicKey)) await append(path, publicKey);
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
