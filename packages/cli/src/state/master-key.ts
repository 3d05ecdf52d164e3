import { randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../command.ts";
import { namedText } from "../input-text.ts";
import { createStateFile, readText } from "./files.ts";

const KEY_BYTES = 32;

/** Its file in the state folder. */
export const MASTER_KEY = "master.key";

/** Where a master key comes from. */
export interface MasterKeySource {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  /** Make one where none is found: only right while nothing has been encrypted. */
  readonly create: boolean;
}

/**
 * The key that encrypts all stored keys: `DAYPASS_MASTER_KEY`, the file that `DAYPASS_MASTER_KEY_FILE` names, or
 * `master.key` in the state folder. The last one protects no more than the folder's permissions do, since it lies beside
 * what it encrypts; a backup that leaves it out is safe to lose.
 */
export async function masterKey({ env, folder, create }: MasterKeySource): Promise<Uint8Array> {
  const fromEnvironment = env["DAYPASS_MASTER_KEY"];
  if (fromEnvironment) return parseKey("DAYPASS_MASTER_KEY", fromEnvironment);
  const configured = env["DAYPASS_MASTER_KEY_FILE"];
  if (configured) {
    const text = await namedText("DAYPASS_MASTER_KEY_FILE", configured);
    if (text === undefined)
      throw new CommandError("expected the file that DAYPASS_MASTER_KEY_FILE names, found none: create it");
    return parseKey("DAYPASS_MASTER_KEY_FILE", text);
  }
  const path = join(folder, MASTER_KEY);
  if (create) await createStateFile(path, `${randomBytes(KEY_BYTES).toString("base64url")}\n`);
  const text = await readText(path);
  if (text === undefined) {
    throw new CommandError(
      `expected the master key for these keys, found no ${path}: restore it, or set DAYPASS_MASTER_KEY_FILE`,
    );
  }
  // Windows has other permissions, and stat tells nothing about them.
  const { mode } = await stat(path);
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new CommandError(
      `expected ${path} to be readable only by its owner (0600), found mode 0${(mode & 0o777).toString(8)}: run chmod 600 on it`,
    );
  }
  return parseKey(path, text);
}

function parseKey(source: string, text: string): Uint8Array {
  const trimmed = text.trim();
  const key = /^[0-9a-f]{64}$/i.test(trimmed) ? Buffer.from(trimmed, "hex") : Buffer.from(trimmed, "base64");
  if (key.length === KEY_BYTES && /^[A-Za-z0-9+/_=-]+$/.test(trimmed)) return key;
  throw new CommandError(
    `expected ${source} as ${KEY_BYTES} random bytes in base64 or hexadecimal, found something else: make one with \`openssl rand -base64 32\``,
  );
}
