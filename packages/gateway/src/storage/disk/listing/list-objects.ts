/**
 * A page of a listing: candidates from the index, in order, each checked on the disk before it is shown.
 *
 * Three rules make the page true. A key is shown if its file exists, as it is now. A folder whose keys could be on the page is read
 * again if it has changed. A rolled-up prefix is shown if one file below it exists, and one seek skips the rest.
 */
import {
  compareUtf8,
  type ListEntry,
  type ListOptions,
  type ListPage,
  textAfterPrefix,
} from "../../contract/listing.ts";
import { type ObjectInfo, StorageError } from "../../contract/storage.ts";
import type { DiskIndex } from "../database/contract.ts";
import type { FolderRow } from "../database/names-table.ts";
import { noSuchBucket } from "../errors.ts";
import type { Places } from "../layout.ts";
import type { SpellingCheck } from "../objects/case-folding.ts";
import { foreignEtag, modifiedAt } from "../objects/open-file.ts";
import { type Candidate, nextCandidates, type Position, type Step, startingAt } from "./list-candidates.ts";

export type ListObjects = (bucket: string, options: ListOptions) => Promise<ListPage>;

/** Candidates checked together: a few milliseconds of the event loop. */
const STEP = 256;
/** Folders of the first reading. Each further one reads twice as many, because they may hold few names. */
const FOLDERS = 8;

export function objectLister({ layout, reader, writer, thread }: DiskIndex): ListObjects {
  return async (bucket, options) => {
    if (!layout.hasBucket(bucket)) throw noSuchBucket(bucket);
    const { prefix, delimiter, limit, signal } = options;
    const until = textAfterPrefix(prefix);
    // A folder that was read after the listing began is new enough, even if it changes again.
    const read = new Set<string>();
    const entries: ListEntry[] = [];
    let position = firstPosition(options, until);
    // Names of a rolled-up prefix that are checked at once: doubled while their files are missing.
    let witnesses = 1;
    let folders = FOLDERS;

    // One more entry than the page shows whether the listing is truncated.
    while (position !== undefined && entries.length <= limit) {
      if (signal?.aborted === true) throw new StorageError("INCOMPLETE_BODY", "the request was aborted");
      const room = Math.min(STEP, limit + 1 - entries.length);
      const step = nextCandidates(reader.names, { bucket, position, until, prefix, delimiter, limit: room, witnesses });
      const near = [...ancestors(bucket, position.from.text, prefix), ...step.folders];
      const { files, changed } = await look(bucket, step, near);
      const unread = changed.filter((folder) => !read.has(folder)).slice(0, folders);
      if (unread.length > 0) {
        folders = Math.min(folders * 2, STEP);
        for (const folder of unread) read.add(folder);
        await writer.refresh(bucket, unread);
        // New names below an unproven prefix may precede the checked ones.
        position = startingAt(position.gap);
        continue;
      }
      const shown = show(step, files);
      entries.push(...shown.entries);
      if (shown.gone.length > 0) await writer.forget(bucket, shown.gone);
      position = shown.next;
      witnesses = shown.unproved ? Math.min(witnesses * 2, STEP) : 1;
    }
    const truncated = entries.length > limit;
    return { entries: truncated ? entries.slice(0, limit) : entries, truncated };
  };

  /** The folders on the way to a key that are in the index, and the folder of the prefix. No folder above has a key in the range. */
  function ancestors(bucket: string, key: string, prefix: string): FolderRow[] {
    const shortest = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    const folders = [reader.names.folder(bucket, shortest) ?? { prefix: shortest, stamp: undefined }];
    for (let end = key.indexOf("/", shortest.length); end >= 0; end = key.indexOf("/", end + 1)) {
      const known = reader.names.folder(bucket, key.slice(0, end + 1));
      if (known === undefined) break;
      folders.push(known);
    }
    return folders;
  }

  /** The files of the candidates, and the folders that differ from the index. */
  async function look(
    bucket: string,
    { candidates }: Step,
    folders: readonly FolderRow[],
  ): Promise<{ readonly files: ReadonlyMap<string, FoundFile>; readonly changed: readonly string[] }> {
    const wanted = candidates.flatMap(({ keys, uploads }) => keys.map((key) => ({ key, uploads })));
    const isSpelled = layout.spellingIn(bucket);
    const places = wanted.map(({ key }) => inPlace(layout.places({ bucket, key }), isSpelled));
    const paths = layout.foldersToRead(
      bucket,
      folders.map(({ prefix }) => prefix),
    );
    const looked = await thread.look({
      files: places.map((place) => place?.plain ?? place?.hashed ?? ""),
      folders: paths,
    });
    const files = new Map<string, FoundFile>();
    const again: { readonly key: string; readonly path: string }[] = [];
    wanted.forEach(({ key, uploads }, i) => {
      const fingerprint = looked.files[i];
      const place = places[i];
      if (fingerprint === undefined) {
        if (place?.plain !== undefined) again.push({ key, path: place.hashed });
      } else if (uploads.length === 0) files.set(key, { fingerprint, row: undefined });
      else {
        const row = rowOf(bucket, key, { fingerprint, uploads });
        files.set(key, { fingerprint, row });
        // An upload that took the key meanwhile has replaced the row.
        if (row === undefined) again.push({ key, path: place?.plain ?? place?.hashed ?? "" });
      }
    });
    if (again.length > 0) {
      const second = await thread.look({ files: again.map(({ path }) => path), folders: [] });
      again.forEach(({ key }, i) => {
        const fingerprint = second.files[i];
        if (fingerprint !== undefined) files.set(key, { fingerprint, row: rowOf(bucket, key, { fingerprint }) });
      });
    }
    const changed = folders.filter(({ stamp }, i) => looked.folders[i] !== stamp).map(({ prefix }) => prefix);
    return { files, changed };
  }

  function rowOf(
    bucket: string,
    key: string,
    { fingerprint, uploads = [] }: { readonly fingerprint: string; readonly uploads?: Candidate["uploads"] },
  ): UploadedRow | undefined {
    const { etag, checksums } = uploads.find((known) => known.fingerprint === fingerprint) ?? {};
    if (etag === undefined) return reader.find({ bucket, key }, fingerprint);
    // Most objects have none, and a page has a thousand.
    if (checksums === undefined || checksums === "{}") return { etag };
    return { etag, checksums: JSON.parse(checksums) as ObjectInfo["checksums"] };
  }
}

/** The places of a key. On a file system that folds names, the plain place may be the file of another key: then it is left out. */
function inPlace(
  places: Places | undefined,
  isSpelled: SpellingCheck | undefined,
): Pick<Places, "plain" | "hashed"> | undefined {
  const taken = places?.plain !== undefined && isSpelled?.(places.plain) === false;
  return taken ? { plain: undefined, hashed: places.hashed } : places;
}

interface FoundFile {
  readonly fingerprint: string;
  /** `undefined` if the file was not uploaded. */
  readonly row: UploadedRow | undefined;
}

interface UploadedRow {
  readonly etag: string;
  readonly checksums?: ObjectInfo["checksums"];
}

interface Shown {
  readonly entries: readonly ListEntry[];
  /** Names without a file. */
  readonly gone: readonly string[];
  readonly next: Position | undefined;
  /** Whether the next step continues inside a prefix without an existing file so far. */
  readonly unproved: boolean;
}

function show({ candidates, next }: Step, files: ReadonlyMap<string, FoundFile>): Shown {
  const entries: ListEntry[] = [];
  const gone: string[] = [];
  for (const { prefix, keys } of candidates) {
    const [key = ""] = keys;
    const dead = keys.filter((name) => !files.has(name));
    gone.push(...dead);
    if (prefix === undefined) {
      const file = files.get(key);
      if (file !== undefined) entries.push(listed(key, file));
    } else if (dead.length < keys.length) {
      entries.push({ kind: "prefix", prefix });
    } else {
      // The folders below the prefix may hold names that the index lacks.
      const from = { text: keys.at(-1) ?? prefix, inclusive: false };
      return { entries, gone, next: { from, gap: { text: prefix, inclusive: true } }, unproved: true };
    }
  }
  return { entries, gone, next, unproved: false };
}

/** A fingerprint is `inode:size:mtime`, the time in nanoseconds. */
function listed(key: string, { fingerprint, row }: FoundFile): ListEntry {
  const [, size, modified = "0"] = fingerprint.split(":");
  const lastModified = modifiedAt(BigInt(modified));
  const { etag = foreignEtag(fingerprint), checksums } = row ?? {};
  return { kind: "object", key, size: Number(size), etag, lastModified, checksums };
}

function firstPosition({ prefix, after }: ListOptions, until: string | undefined): Position | undefined {
  const start = startingAt({ text: prefix, inclusive: true });
  if (after === undefined) return start;
  const text = "key" in after ? after.key : textAfterPrefix(after.prefix);
  if (text === undefined || (until !== undefined && compareUtf8(text, until) >= 0)) return undefined;
  return compareUtf8(text, prefix) < 0 ? start : startingAt({ text, inclusive: !("key" in after) });
}
