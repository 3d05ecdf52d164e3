import type { GcsServiceAccount } from "daypass/gcs";
import type { S3Credentials } from "daypass/s3";
import { isObject, type JsonObject } from "daypass/schemes";
import type { UrlKey } from "daypass/url";
import { awsSettings } from "../../aws/settings.ts";
import { CommandError, type Context } from "../../command.ts";
import { inputText, NamedFileError } from "../../input-text.ts";
import { repeatsMember } from "../../lines/json-members.ts";
import { privateJson } from "../../private-json.ts";
import type { KeyRecord } from "../../state/key-record.ts";
import { accountKey } from "./azure-target.ts";
import { serviceAccount } from "./gcs-target.ts";
import { environmentUrlKeys } from "./url-key.ts";

/** The keys that a command may verify with. */
export interface KeysAtHand {
  readonly s3: readonly S3Credentials[];
  readonly gcs: readonly GcsServiceAccount[];
  readonly azure: readonly AzureKey[];
  readonly url: readonly UrlKey[];
  /** What the state knows of its keys, by id. */
  readonly records: ReadonlyMap<string, KeyRecord>;
  /** What `--schemes` names: entries as in the `schemes` of a line to verify. */
  readonly entries: readonly JsonObject[];
}

/** The key of an Azure account, with its name. */
export interface AzureKey {
  readonly account: string;
  readonly accountKey: string;
}

/** Where to look. */
export interface KeyPlaces {
  /** A gateway's state. Without it: the environment and AWS's shared files. */
  readonly state?: string | undefined;
  readonly profile?: string | undefined;
  /** When the keys have to be good. */
  readonly now: Date;
  /** Whether keys whose end has come by then are wanted as well: they tell what a URL was. */
  readonly retired?: boolean | undefined;
  /** A file of entries, for schemes whose keys no other tool keeps. They come on top. */
  readonly schemes?: string | undefined;
}

/** Collects the keys that are there. That there are none is no fault; a profile that was named and has none is. */
export async function keysAtHand(places: KeyPlaces, context: Context): Promise<KeysAtHand> {
  const { state, profile, schemes } = places;
  const { env } = context;
  const entries = schemes === undefined ? [] : schemeEntries(await inputText("--schemes", schemes, context));
  if (state !== undefined) {
    const { storedKeys } = await import("./stored-keys.ts");
    return { gcs: [], azure: [], ...(await storedKeys(state, places, env)), entries };
  }
  const settings = await (profile === undefined ? ifThere(() => awsSettings(env, profile)) : awsSettings(env, profile));
  const google = await ifThere(() => serviceAccount(env));
  const azure = await ifThere(async () => accountKey(env));
  return {
    s3: settings === undefined ? [] : [settings.credentials],
    gcs: google === undefined ? [] : [google],
    azure: azure === undefined ? [] : [{ account: azure.account, accountKey: azure.credentials.accountKey }],
    url: await environmentUrlKeys(context),
    records: new Map(),
    entries,
  };
}

/** One entry, or a list of them. Their fields are the scheme's to check. */
function schemeEntries(text: string): readonly JsonObject[] {
  const value = privateJson(text);
  if (value === undefined) throw new CommandError("expected --schemes as JSON, found other text");
  if (repeatsMember(text, value))
    throw new CommandError("expected each field once in --schemes, found one twice: remove one of them");
  const entries = [value].flat();
  if (entries.every(isObject)) return entries;
  throw new CommandError('expected --schemes as {"scheme":…,"credentials":…} or a list of such, found another value');
}

async function ifThere<T>(find: () => Promise<T>): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof CommandError && !(error instanceof NamedFileError)) return undefined;
    throw error;
  }
}
