import type { SecretOutput } from "../../state-folder/secret-output.ts";
import { table } from "../../terminal-text.ts";
import type { StartKeys } from "./first-keys.ts";
import { findFile, firstUrl, lifetimeOf, type S3Key } from "./first-url.ts";
import { originsOf } from "./origins.ts";
import type { ServeSettings } from "./settings.ts";
import { driverOf, storageText } from "./storage.ts";

/** The output of a start, as `serve --json` prints it. */
export interface Announcement {
  /** The address for clients. */
  readonly url: string;
  readonly s3Endpoint: string;
  readonly region: string;
  readonly accessKeyId?: string;
  /** Only on the first start, and only if secrets may be printed. */
  readonly secretAccessKey?: string;
  readonly urlKeyId?: string;
  /** A URL of a file in the folder. Missing if the key may not read any file. */
  readonly presignedUrl?: string;
  readonly presignedUrlExpiresAt?: string;
  readonly root: string;
  /** The location of the objects, if it is not the folder. */
  readonly storage?: string;
  readonly state: string;
  readonly pid: number;
}

/** Options of {@link announcement}. */
export interface AnnouncementOptions {
  readonly settings: ServeSettings;
  readonly port: number;
  readonly keys: StartKeys;
  readonly secret: SecretOutput;
  /** Whether to print a URL that works. */
  readonly showsUrl: boolean;
}

/** Collects the output of a start, and finds the path of a file to sign. */
export async function announcement({
  settings,
  port,
  keys,
  secret,
  showsUrl,
}: AnnouncementOptions): Promise<{ readonly data: Announcement; readonly path: string | undefined }> {
  const { root, state, region, storage } = settings;
  const isElsewhere = !driverOf(storage).servesFolder;
  const [url = ""] = originsOf(settings, port).filter((origin) => !origin.includes("*"));
  const credentials = keys.s3?.credentials;
  const showsSecret = keys.areNew && secret.kind === "print";
  const found =
    keys.s3 === undefined || isElsewhere || !speaksS3(settings, url)
      ? undefined
      : await urlToShow(keys.s3, { root, endpoint: url, region });
  const data: Announcement = {
    url,
    s3Endpoint: url,
    region,
    ...(credentials === undefined ? {} : { accessKeyId: credentials.accessKeyId }),
    ...(credentials === undefined || !showsSecret ? {} : { secretAccessKey: credentials.secretAccessKey }),
    ...(keys.url === undefined ? {} : { urlKeyId: keys.url.record.id }),
    ...(showsUrl ? found : {}),
    root,
    ...(isElsewhere ? { storage: storageText(root, storage) } : {}),
    state,
    pid: process.pid,
  };
  return { data, path: found === undefined ? undefined : new URL(found.presignedUrl).pathname };
}

/** Whether the host accepts S3 signatures. A host may be configured for Daypass URLs only. */
function speaksS3({ hosts = {} }: ServeSettings, url: string): boolean {
  const host = url.replace(/^https?:\/\//, "");
  return Object.entries(hosts).every(([name, dialects]) => name.toLowerCase() !== host || dialects.includes("s3"));
}

async function urlToShow(
  key: S3Key,
  { root, endpoint, region }: { readonly root: string; readonly endpoint: string; readonly region: string },
): Promise<{ readonly presignedUrl: string; readonly presignedUrlExpiresAt: string } | undefined> {
  const expiresIn = lifetimeOf(key, new Date());
  const file = expiresIn === 0 ? undefined : await findFile(root, key);
  if (file === undefined) return undefined;
  const { url, expiresAt } = firstUrl(file, key, { endpoint, region, expiresIn });
  return { presignedUrl: url, presignedUrlExpiresAt: expiresAt.toISOString() };
}

/** The announcement as text. `command` is the name of the program. */
export function announcementText(
  data: Announcement,
  {
    command,
    areNew,
    path,
    findsState,
  }: { command: string; areNew: boolean; path: string | undefined; findsState: boolean },
): string {
  const at = `--state ${shellWord(data.state)}`;
  const rows = [
    ["S3 endpoint", `${data.s3Endpoint}   (region ${data.region}, path style)`],
    ...keyRows(data, { areNew, create: `${command} keys create --out FILE ${at}` }),
    ...(data.urlKeyId === undefined ? [] : [["Daypass key", `${data.urlKeyId}   (for URLs of your own)`]]),
  ];
  const { presignedUrl } = data;
  const target = path ?? "/BUCKET/KEY";
  const by = findsState ? "" : ` ${at}`;
  return [
    `Daypass serves ${data.storage ?? data.root}`,
    "",
    table(rows.map((row) => ["", ...row])),
    "",
    ...(path === undefined
      ? [`${data.storage === undefined ? "No file found. " : ""}Sign an upload and send one:`]
      : presignedUrl === undefined
        ? ["Sign a URL:"]
        : [
            `A presigned URL, valid until ${data.presignedUrlExpiresAt}. Open it; change one character, and it is refused:`,
            "",
            presignedUrl,
            "",
            "Sign more:",
          ]),
    `  ${command} sign ${shellWord(`s3:/${decodeURIComponent(target)}`)} --endpoint ${data.s3Endpoint}${by}${path === undefined ? " --method PUT" : ""}`,
    `  ${command} sign ${shellWord(`${data.url}${target}`)}${by}`,
    "Stop with Ctrl-C.",
  ].join("\n");
}

function keyRows(data: Announcement, { areNew, create }: { areNew: boolean; create: string }): string[][] {
  if (data.accessKeyId === undefined) return [["access key", `none is active; create one with  ${create}`]];
  if (data.secretAccessKey !== undefined) {
    return [
      ["access key", data.accessKeyId],
      ["secret key", `${data.secretAccessKey}   (shown only once)`],
    ];
  }
  const why = areNew ? "not shown, since the output is not a terminal" : "was shown when the key was created";
  return [
    ["access key", data.accessKeyId],
    ["secret key", `${why}; for another key:  ${create}`],
  ];
}

function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
