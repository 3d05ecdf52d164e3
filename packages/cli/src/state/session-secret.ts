import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { masterKey } from "./master-key.ts";

/**
 * The secret under which session credentials are issued, derived from the master key: whoever can read the stored keys can issue
 * sessions anyway, and one secret less is one less to lose. `undefined` where no key has been stored yet.
 */
export async function sessionSecret({
  folder,
  env,
}: {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<Uint8Array | undefined> {
  if (!existsSync(join(folder, "keys.json"))) return undefined;
  const key = await masterKey({ folder, env, create: false });
  return createHmac("sha256", key).update("daypass: session credentials, version 1").digest();
}
