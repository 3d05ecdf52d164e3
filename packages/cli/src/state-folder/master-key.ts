import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, type Context } from "../command.ts";
import { readNamedFile, readTextIfExists } from "../files.ts";
import { createStateFile } from "./files.ts";
import { linkFiles } from "./link-files.ts";

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** The name of the master key's file in the state folder. */
export const MASTER_KEY = "master.key";

/** The source of a master key. */
export interface MasterKeySource {
  readonly env: Context["env"];
  readonly folder: string;
  /** Whether to create a missing key. Only correct while nothing is encrypted. */
  readonly create: boolean;
}

/**
 * The key that encrypts all stored keys: `DAYPASS_MASTER_KEY`, the file of `DAYPASS_MASTER_KEY_FILE`, or `master.key` in the state folder.
 * `master.key` protects no more than the permissions of the folder, but a backup without it is worthless to a thief.
 */
export async function masterKey({ env, folder, create }: MasterKeySource): Promise<Uint8Array> {
  const fromEnvironment = env["DAYPASS_MASTER_KEY"];
  if (fromEnvironment) return parseKey("DAYPASS_MASTER_KEY", fromEnvironment);
  const configured = env["DAYPASS_MASTER_KEY_FILE"];
  if (configured) {
    return parseKey("DAYPASS_MASTER_KEY_FILE", await readNamedFile("DAYPASS_MASTER_KEY_FILE", configured));
  }
  const path = join(folder, MASTER_KEY);
  if (create) await createStateFile(path, `${randomBytes(KEY_BYTES).toString("base64url")}\n`);
  const text = await readTextIfExists(path);
  if (text === undefined) {
    throw new CommandError(
      `the master key ${path} of these keys does not exist. Restore it, or set DAYPASS_MASTER_KEY_FILE`,
    );
  }
  // Windows has no POSIX modes.
  const { mode } = await stat(path);
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new CommandError(
      `${path} has the mode 0${(mode & 0o777).toString(8)}, and other users may read it. Run chmod 600 ${path}`,
    );
  }
  return parseKey(path, text);
}

function parseKey(source: string, text: string): Uint8Array {
  const trimmed = text.trim();
  const key = /^[0-9a-f]{64}$/i.test(trimmed) ? Buffer.from(trimmed, "hex") : Buffer.from(trimmed, "base64");
  if (key.length === KEY_BYTES && /^[A-Za-z0-9+/_=-]+$/.test(trimmed)) return key;
  throw new CommandError(
    `${source} is not ${KEY_BYTES} bytes in base64 or hexadecimal. Make it with \`openssl rand -base64 32\``,
  );
}

/** Encrypts a text with AES-256-GCM. Decryption requires the same `context`, so that a sealed text cannot be moved to another row. */
export function seal(masterKey: Uint8Array, text: string, context: string): string {
  // 96 random bits per message are safe for 2^32 messages (NIST SP 800-38D, 8.3).
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", masterKey, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([iv, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64url");
}

/** Decrypts a sealed text. `undefined` if the master key or the context differs, or a byte was changed. */
export function unseal(masterKey: Uint8Array, sealed: string, context: string): string | undefined {
  const bytes = Buffer.from(sealed, "base64url");
  if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", masterKey, bytes.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}

/**
 * The secret that signs session credentials, derived from the master key: anyone who can read the stored keys can issue sessions anyway.
 * `undefined` if no key has been stored yet.
 */
export async function sessionSecret({ folder, env }: Omit<MasterKeySource, "create">): Promise<Uint8Array | undefined> {
  if (!hasStoredKeys(folder)) return undefined;
  const key = await masterKey({ folder, env, create: false });
  return createHmac("sha256", key).update("daypass: session credentials, version 1").digest();
}

/** Whether keys of this folder were ever stored, here or in a database. */
export function hasStoredKeys(folder: string): boolean {
  return existsSync(join(folder, "keys.json")) || existsSync(linkFiles(folder).keysCopy);
}
