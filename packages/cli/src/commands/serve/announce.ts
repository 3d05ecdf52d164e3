import type { SecretOutput } from "../../state/secret-output.ts";
import { table } from "../../terminal-text.ts";
import type { StartKeys } from "./first-keys.ts";
import { findFile, firstUrl, lifeOf, type S3Key } from "./first-url.ts";
import { originsOf } from "./origins.ts";
import type { ServeSettings } from "./settings.ts";
import { driverOf, storageText } from "./storage.ts";

/** What a start says, as data: the one line of `serve --json`. */
export interface Announcement {
  /** Where clients reach the gateway. */
  readonly url: string;
  readonly s3Endpoint: string;
  readonly region: string;
  readonly accessKeyId?: string;
  /** Only on the first start, and only where secrets may be shown. */
  readonly secretAccessKey?: string;
  readonly urlKeyId?: string;
  /** Opens a file of the folder; absent where there is none that a key opens. */
  readonly presignedUrl?: string;
  readonly presignedUrlExpiresAt?: string;
  readonly root: string;
  /** Where objects are, where that is not the folder. */
  readonly storage?: string;
  readonly state: string;
  readonly pid: number;
}

/** What the announcement is made of. */
export interface AnnouncementOptions {
  readonly settings: ServeSettings;
  readonly port: number;
  readonly keys: StartKeys;
  readonly secret: SecretOutput;
}

/** Collects what a start says. */
export async function announcement({ settings, port, keys, secret }: AnnouncementOptions): Promise<Announcement> {
  const { root, state, region, storage } = settings;
  const isElsewhere = !driverOf(storage).servesFolder;
  const [url = ""] = originsOf(settings, port).filter((origin) => !origin.includes("*"));
  const credentials = keys.s3?.credentials;
  const showsSecret = keys.areNew && secret.kind === "print";
  return {
    url,
    s3Endpoint: url,
    region,
    ...(credentials === undefined ? {} : { accessKeyId: credentials.accessKeyId }),
    ...(credentials === undefined || !showsSecret ? {} : { secretAccessKey: credentials.secretAccessKey }),
    ...(keys.url === undefined ? {} : { urlKeyId: keys.url.record.id }),
    ...(keys.s3 === undefined || isElsewhere || !speaksS3(settings, url)
      ? {}
      : await shownUrl(keys.s3, { root, endpoint: url, region })),
    root,
    ...(isElsewhere ? { storage: storageText(root, storage) } : {}),
    state,
    pid: process.pid,
  };
}

/** A host of its own for Daypass URLs refuses what is signed for S3. */
function speaksS3({ hosts = {} }: ServeSettings, url: string): boolean {
  const host = url.replace(/^https?:\/\//, "");
  return Object.entries(hosts).every(([name, dialects]) => name.toLowerCase() !== host || dialects.includes("s3"));
}

async function shownUrl(
  key: S3Key,
  { root, endpoint, region }: { readonly root: string; readonly endpoint: string; readonly region: string },
): Promise<Pick<Announcement, "presignedUrl" | "presignedUrlExpiresAt">> {
  const expiresIn = lifeOf(key, new Date());
  const file = expiresIn === 0 ? undefined : await findFile(root, key);
  if (file === undefined) return {};
  const { url, expiresAt } = firstUrl(file, key, { endpoint, region, expiresIn });
  return { presignedUrl: url, presignedUrlExpiresAt: expiresAt.toISOString() };
}

/** The announcement for a person. `command` is how the program was called. */
export function announcementText(
  said: Announcement,
  { command, areNew }: { command: string; areNew: boolean },
): string {
  const at = `--state ${shellWord(said.state)}`;
  const rows = [
    ["S3 endpoint", `${said.s3Endpoint}   (region ${said.region}, path style)`],
    ...keyRows(said, { areNew, create: `${command} keys create --out FILE ${at}` }),
    ...(said.urlKeyId === undefined
      ? []
      : [["Daypass key", `${said.urlKeyId}   (for URLs of your own; used by ${at})`]]),
  ];
  const path = said.presignedUrl === undefined ? "/BUCKET/KEY" : new URL(said.presignedUrl).pathname;
  return [
    `Daypass serves ${said.storage ?? said.root}`,
    "",
    table(rows.map((row) => ["", ...row])),
    "",
    ...(said.presignedUrl === undefined
      ? [`${said.storage === undefined ? "No file found. " : ""}Sign an upload and send one:`]
      : [
          `A presigned URL, valid until ${said.presignedUrlExpiresAt}. Open it; change one character, and it is refused:`,
          "",
          said.presignedUrl,
          "",
          "Sign more:",
        ]),
    `  ${command} sign ${shellWord(`s3:/${decodeURIComponent(path)}`)} --endpoint ${said.s3Endpoint} ${at}${said.presignedUrl === undefined ? " --method PUT" : ""}`,
    `  ${command} sign ${shellWord(`${said.url}${path}`)} ${at}`,
    "Stop with Ctrl-C.",
  ].join("\n");
}

function keyRows(said: Announcement, { areNew, create }: { areNew: boolean; create: string }): string[][] {
  if (said.accessKeyId === undefined) return [["access key", `none is active; create one with  ${create}`]];
  if (said.secretAccessKey !== undefined) {
    return [
      ["access key", said.accessKeyId],
      ["secret key", `${said.secretAccessKey}   (shown only once)`],
    ];
  }
  const why = areNew ? "not shown, since the output is not a terminal" : "was shown when the key was created";
  return [
    ["access key", said.accessKeyId],
    ["secret key", `${why}; for another key:  ${create}`],
  ];
}

function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
