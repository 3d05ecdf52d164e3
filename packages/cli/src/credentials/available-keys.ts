import type { GcsServiceAccount } from "daypass/gcs";
import { isObject, type JsonObject } from "daypass/schemes";
import { CommandError, type Context } from "../command.ts";
import { inputText, NamedFileError, parseSecretJson } from "../files.ts";
import { repeatsMember } from "../lines/json-members.ts";
import { awsSettings } from "./aws.ts";
import { azureAccount } from "./azure.ts";
import { serviceAccount } from "./google.ts";
import type { StoredKeys } from "./stored-keys.ts";
import { environmentUrlKeys } from "./url-keys.ts";

/** The keys that a command may verify with. */
export interface AvailableKeys extends StoredKeys {
  readonly gcs: readonly GcsServiceAccount[];
  readonly azure: readonly { readonly account: string; readonly accountKey: string }[];
  /** The entries of `--schemes`, as in the `schemes` of a line to verify. */
  readonly entries: readonly JsonObject[];
}

/** The places to search for keys. */
export interface KeyPlaces {
  /** A gateway's state. By default: the environment and the files of the clouds' tools. */
  readonly state?: string | undefined;
  readonly profile?: string | undefined;
  /** The time at which the keys must be valid. */
  readonly now: Date;
  /** Whether to include retired keys of the state, which explain old URLs. */
  readonly retired?: boolean | undefined;
  /** A file with further entries, for schemes whose keys no other tool stores. */
  readonly schemes?: string | undefined;
}

/** Finds the available keys. Finding none is not an error, but a named profile or file without keys is. */
export async function findAvailableKeys(places: KeyPlaces, context: Context): Promise<AvailableKeys> {
  const { state, profile, schemes } = places;
  const { env } = context;
  const entries = schemes === undefined ? [] : schemeEntries(await inputText("--schemes", schemes, context));
  if (state !== undefined) {
    const { storedKeys } = await import("./stored-keys.ts");
    return { gcs: [], azure: [], ...(await storedKeys(state, places, env)), entries };
  }
  const settings = awsSettings(env, profile);
  const aws = await (profile === undefined ? ifFound(settings) : settings);
  const google = await ifFound(serviceAccount(env));
  const azure = await ifFound(Promise.resolve(env).then(azureAccount));
  return {
    s3: aws === undefined ? [] : [aws.credentials],
    gcs: google === undefined ? [] : [google],
    azure: azure === undefined ? [] : [{ account: azure.account, accountKey: azure.credentials.accountKey }],
    url: await environmentUrlKeys(context),
    records: new Map(),
    entries,
  };
}

/** One entry or a list of entries. The schemes check their fields. */
function schemeEntries(text: string): readonly JsonObject[] {
  const value = parseSecretJson(text);
  if (value === undefined) throw new CommandError("the text of --schemes is not JSON. Correct it");
  if (repeatsMember(text, value))
    throw new CommandError("the text of --schemes names a field twice. Remove one of them");
  const entries = [value].flat();
  if (entries.every(isObject)) return entries;
  throw new CommandError('--schemes has another form. Write {"scheme":…,"credentials":…}, or a list of such objects');
}

async function ifFound<T>(key: Promise<T>): Promise<T | undefined> {
  try {
    return await key;
  } catch (error) {
    if (error instanceof CommandError && !(error instanceof NamedFileError)) return undefined;
    throw error;
  }
}
