import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { servedFiles } from "@daypass/gateway/disk";
import { scopeBreach } from "@daypass/gateway/scope";
import type { SignedRequest } from "daypass";
import { s3Signer } from "daypass/s3";
import { type ActiveKey, endOfKey } from "../../state-folder/key-record.ts";

/** An object of a served folder. */
export interface FoundFile {
  readonly bucket: string;
  readonly key: string;
}

/** A stored access key. */
export type S3Key = Extract<ActiveKey, { kind: "s3" }>;

/** File types that browsers display, the preferred ones first. */
const PREFERENCE: readonly (readonly string[])[] = [
  [".txt", ".md"],
  [".png", ".jpg", ".jpeg", ".gif", ".webp"],
  [".pdf"],
];

// A folder with millions of files must not delay the start.
const MAX_ENTRIES = 2000;

/** Finds a file that the key may read, breadth first. */
export async function findFile(root: string, { record: { scope } }: S3Key): Promise<FoundFile | undefined> {
  const objectAt = servedFiles(root);
  const isOpen = (file: FoundFile): boolean => scopeBreach(scope, file, "GET") === undefined;
  let best: (FoundFile & { readonly rank: number }) | undefined;
  let left = MAX_ENTRIES;
  const folders: string[][] = [[]];
  for (let folder = folders.shift(); folder !== undefined && left > 0; folder = folders.shift()) {
    const entries = await readdir(join(root, ...folder), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, left)) {
      left -= 1;
      if (entry.name.startsWith(".")) continue;
      if (entry.isDirectory()) folders.push([...folder, entry.name]);
      // Links and sockets are not served.
      if (!entry.isFile()) continue;
      const object = objectAt([...folder, entry.name]);
      // Node replaces bytes that are not UTF-8 by U+FFFD, so the name does not match the file.
      if (object === undefined || object.key.includes("\ufffd") || !isOpen(object)) continue;
      const rank = rankOf(entry.name);
      if (best === undefined || rank < best.rank) best = { ...object, rank };
    }
  }
  return best;
}

function rankOf(name: string): number {
  const rank = PREFERENCE.findIndex((endings) => endings.includes(extname(name).toLowerCase()));
  return rank < 0 ? PREFERENCE.length : rank;
}

/** The longest lifetime of the printed URL, in seconds. */
const MAX_SECONDS = 3600;

/** The lifetime of a URL that the key may sign, in seconds. 0 if it may not sign a GET. */
export function lifetimeOf({ record }: S3Key, now: Date): number {
  const { methods, maxLife = MAX_SECONDS } = record.scope;
  if (methods?.includes("GET") === false) return 0;
  const end = endOfKey(record);
  const left = end === undefined ? MAX_SECONDS : (end.getTime() - now.getTime()) / 1000;
  return Math.max(0, Math.floor(Math.min(MAX_SECONDS, maxLife, left)));
}

/** A presigned URL for a file at an endpoint of the gateway. */
export function firstUrl(
  { bucket, key }: FoundFile,
  { credentials }: S3Key,
  { expiresIn, ...signer }: { readonly endpoint: string; readonly region: string; readonly expiresIn: number },
): SignedRequest {
  return s3Signer({ ...signer, credentials, addressing: "path" }).sign({ bucket, key, expiresIn });
}
