/** Secrets of the state. A reader of the database must not learn them: they authenticate visits, proofs and notifications. */
import { randomBytes } from "node:crypto";
import { type AuditMethods, keyAnnounced } from "../contract/records.ts";
import { StateUnusable } from "../contract/unusable.ts";
import type { Database, Once, Run } from "./transaction.ts";

/** Seals the secrets of a state outside of its database. */
export interface SecretSeal {
  /** Encrypts a secret for its name only. */
  seal(secret: Uint8Array, name: string): Uint8Array;
  /** `undefined` if another key or name sealed it. */
  open(sealed: Uint8Array, name: string): Uint8Array | undefined;
}

/** The migration after which every secret is sealed: a clear one is refused, because a writer of the database could have stored it. */
const SEALED_FROM = 4;

/** The secret of a name, created at the first call. */
export async function secretOf(db: Database, seal: SecretSeal | undefined, name: string): Promise<Uint8Array> {
  const secret = randomBytes(32);
  const value = await db.transaction(async ({ run }) => {
    const [row] = await run("addSecret", name, seal?.seal(secret, name) ?? secret);
    return row.value;
  });
  const opened = seal === undefined ? value : seal.open(value, name);
  if (opened !== undefined) return Uint8Array.from(opened);
  throw new StateUnusable(
    `the master key does not decrypt the secret ${JSON.stringify(name)} of the state. Give every replica the same master key.`,
  );
}

const AUDIT_KEY = "audit key ";

/** The public keys of the audit. Leaves out what the master key did not seal: a writer of the database could have stored it. */
async function auditKeysOf(run: Run, seal: SecretSeal | undefined): Promise<readonly string[]> {
  const rows = await run("auditKeys");
  const opened = rows.map(({ name, value }) => (seal === undefined ? value : seal.open(value, name)));
  return opened.flatMap((value) => (value === undefined ? [] : [Buffer.from(value).toString()]));
}

/** The methods of the contract for the public keys of the audit. */
export function auditKeyMethods(
  db: Database,
  once: Once,
  seal: SecretSeal | undefined,
): Required<Pick<AuditMethods, "auditKeys" | "announceAuditKey">> {
  return {
    auditKeys: () => auditKeysOf(db.read, seal),
    announceAuditKey: (key, { isFirst }) =>
      once(async ({ run, append }) => {
        if (isFirst) {
          await run("lockKeys");
          if ((await auditKeysOf(run, seal)).length > 0) return;
        } else append(keyAnnounced(key));
        const [name, value] = [`${AUDIT_KEY}${key.id}`, Buffer.from(key.publicKey)];
        await run("putSecret", name, seal?.seal(value, name) ?? value);
      }),
  };
}

/** Seals what an earlier release stored in clear, in the transaction of the migrations. */
export async function sealSecrets(run: Run, seal: SecretSeal | undefined, versionBefore: number): Promise<void> {
  if (seal === undefined || versionBefore >= SEALED_FROM) return;
  for (const { name, value } of await run("secrets")) await run("putSecret", name, seal.seal(value, name));
}
