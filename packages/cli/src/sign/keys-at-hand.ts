import type { S3Credentials } from "daypass/s3";
import type { UrlKey } from "daypass/url";
import { awsSettings } from "../aws/settings.ts";
import { CommandError, type Context } from "../command.ts";
import { keyStore } from "../state/key-store.ts";
import { urlKey } from "../state/scoped-key.ts";
import { stateFolder } from "../state/state-folder.ts";
import { environmentUrlKeys } from "./url-key.ts";

/** The keys that a command may verify with. */
export interface KeysAtHand {
  readonly s3: readonly S3Credentials[];
  readonly url: readonly UrlKey[];
}

/** Where to look. */
export interface KeyPlaces {
  /** A gateway's state. Without it: the environment and AWS's shared files. */
  readonly state?: string | undefined;
  readonly profile?: string | undefined;
}

/** Collects the keys that are there. That there are none is no fault; a profile that was named and has none is. */
export async function keysAtHand({ state, profile }: KeyPlaces, context: Context): Promise<KeysAtHand> {
  const { env } = context;
  if (state !== undefined) {
    const keys = await keyStore({ folder: stateFolder(state, env), env, clock: () => new Date() }).active();
    return {
      s3: keys.flatMap((key) => (key.kind === "s3" ? [key.credentials] : [])),
      url: keys.flatMap((key) => (key.kind === "url" ? [urlKey(key)] : [])),
    };
  }
  const settings = await awsSettings(env, profile).catch((error: unknown) => {
    if (profile === undefined && error instanceof CommandError) return undefined;
    throw error;
  });
  return { s3: settings === undefined ? [] : [settings.credentials], url: await environmentUrlKeys(context) };
}
