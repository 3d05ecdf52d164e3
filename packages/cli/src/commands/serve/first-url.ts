import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { servedFiles } from "@daypass/gateway/disk";
import { scopeBreach } from "@daypass/gateway/scope";
import type { SignedRequest } from "daypass";
import { s3Signer } from "daypass/s3";
import { type ActiveKey, endOfKey } from "../../state/key-record.ts";

/** An object of the folder that is served. */
export interface FoundFile {
  readonly bucket: string;
  readonly key: string;
}

export type S3Key = Extract<ActiveKey, { kind: "s3" }>;

/** What a browser shows at once comes first. */
const PREFERENCE: readonly (readonly string[])[] = [
  [".txt", ".md"],
  [".png", ".jpg", ".jpeg", ".gif", ".webp"],
  [".pdf"],
];

// Enough to find something to show; a folder of millions must not delay the start.
const MAX_ENTRIES = 2000;

/** Looks for a file that the key opens and whose URL is worth printing. Breadth first, so that it is one near the top. */
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
      // A link or a socket is not served.
      if (!entry.isFile()) continue;
      const object = objectAt([...folder, entry.name]);
      // Node writes U+FFFD for what is no UTF-8: the name has another file, or none.
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

/** Seconds for which the printed URL is good at most. */
const MOST_SECONDS = 3600;

/** Seconds for which the key may open a file; 0 where it may not. */
export function lifeOf({ record }: S3Key, now: Date): number {
  const { methods, maxLife = MOST_SECONDS } = record.scope;
  if (methods?.includes("GET") === false) return 0;
  const end = endOfKey(record);
  const left = end === undefined ? MOST_SECONDS : (end.getTime() - now.getTime()) / 1000;
  return Math.max(0, Math.floor(Math.min(MOST_SECONDS, maxLife, left)));
}

/** A presigned URL for a file at an endpoint of the gateway. */
export function firstUrl(
  { bucket, key }: FoundFile,
  { credentials }: S3Key,
  { expiresIn, ...signer }: { readonly endpoint: string; readonly region: string; readonly expiresIn: number },
): SignedRequest {
  return s3Signer({ ...signer, credentials, addressing: "path" }).sign({ bucket, key, expiresIn });
}
