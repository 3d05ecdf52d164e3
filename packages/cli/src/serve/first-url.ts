import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import type { SignedRequest } from "daypass";
import { s3Signer } from "daypass/s3";
import { type ActiveKey, endOfKey } from "../state/key-record.ts";

/** An object of the folder that is served. */
export interface FoundFile {
  readonly bucket: string;
  readonly key: string;
}

/** What a browser shows at once comes first. */
const PREFERENCE: readonly (readonly string[])[] = [
  [".txt", ".md"],
  [".png", ".jpg", ".jpeg", ".gif", ".webp"],
  [".pdf"],
];

// Enough to find something to show; a folder of millions must not delay the start.
const MAX_ENTRIES = 2000;

/** Looks for a file whose URL is worth printing. Breadth first, so that it is one near the top. */
export async function findFile(root: string): Promise<FoundFile | undefined> {
  let best: (FoundFile & { readonly rank: number }) | undefined;
  let left = MAX_ENTRIES;
  const folders: string[][] = [[]];
  for (let folder = folders.shift(); folder !== undefined && left > 0; folder = folders.shift()) {
    const entries = await readdir(join(root, ...folder), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, left)) {
      left -= 1;
      if (entry.name.startsWith(".")) continue;
      if (entry.isDirectory()) folders.push([...folder, entry.name]);
      // A loose file belongs to the bucket `files`; a link or a socket is not served.
      if (!entry.isFile()) continue;
      const [bucket = "files", ...path] = folder;
      const rank = rankOf(entry.name);
      if (best === undefined || rank < best.rank) best = { bucket, key: [...path, entry.name].join("/"), rank };
    }
  }
  return best;
}

function rankOf(name: string): number {
  const rank = PREFERENCE.findIndex((endings) => endings.includes(extname(name).toLowerCase()));
  return rank < 0 ? PREFERENCE.length : rank;
}

/** Seconds for which the printed URL is good, unless its key ends before. */
const FIRST_URL_SECONDS = 3600;

/** A presigned URL for a file at an endpoint of the gateway; none by a key that has ended, or does in this second. */
export function firstUrl(
  { bucket, key }: FoundFile,
  { endpoint, region, key: { credentials, record } }: FirstUrlOptions,
): Pick<SignedRequest, "url" | "expiresAt"> | undefined {
  const expiration = endOfKey(record);
  if (expiration !== undefined && expiration.getTime() < Date.now() + 1000) return undefined;
  const options = { endpoint, region, addressing: "path", credentialExpiry: "clamp" } as const;
  return s3Signer({ ...options, credentials: { ...credentials, expiration } }).sign({
    bucket,
    key,
    expiresIn: Math.min(FIRST_URL_SECONDS, record.scope.maxLife ?? FIRST_URL_SECONDS),
  });
}

interface FirstUrlOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly key: Extract<ActiveKey, { kind: "s3" }>;
}
