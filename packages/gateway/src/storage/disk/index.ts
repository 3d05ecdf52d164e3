/**
 * Objects in a folder. Each folder in the root is a bucket, and loose files in the root form the bucket `files`; existing files
 * are served unchanged. Uploads are durable and atomic; their metadata is in `.daypass/`.
 * @module
 */
import { relative } from "node:path";
import {
  callback,
  expectForms,
  type FormsOf,
  invalidOption,
  object,
  text,
  wholeNumber,
} from "../../http/validate-options.ts";
import { pendingWrites } from "../contract/pending-writes.ts";
import type { GetOptions, ObjectInfo, ObjectRef, OpenObject, Storage } from "../contract/storage.ts";
import { diskBuckets } from "./buckets.ts";
import type { DiskIndex, IndexWriter } from "./database/contract.ts";
import { openIndexReader } from "./database/index-database.ts";
import { openDiskIndex } from "./database/open-index.ts";
import { noSuchBucket, translating, unavailable } from "./errors.ts";
import { folders } from "./folders.ts";
import { openLayout } from "./layout.ts";
import { fileThread } from "./listing/file-thread.ts";
import { objectLister } from "./listing/list-objects.ts";
import type { ReadProgress } from "./listing/read-progress.ts";
import { digestPool } from "./objects/digest-pool.ts";
import { bytesObject, type FoundObject, fileObject, objectFinder, readWhole } from "./objects/find-object.ts";
import { identityOf, lstatOrAbsent } from "./objects/open-file.ts";
import { objectPlacer } from "./objects/place-object.ts";
import { objectRemover } from "./objects/remove-object.ts";
import { smallFileCache } from "./objects/small-file-cache.ts";
import { objectStore } from "./objects/store-object.ts";
import { objectTagger } from "./objects/tag-object.ts";
import { bodyWriter } from "./objects/write-body.ts";
import { diskMultipart } from "./uploads/multipart.ts";

export type { DiskIndex, IndexWriter } from "./database/contract.ts";
export { type Channel, ipcIndexWriter, serveIndexWriter } from "./database/ipc-writer.ts";
export { type DiskIndexOptions, openDiskIndex } from "./database/open-index.ts";
export type { ReadProgress } from "./listing/read-progress.ts";
export { servedFiles } from "./served-files.ts";

/** Options of {@link disk}. */
export interface DiskOptions {
  /** The folder. It must exist. */
  readonly root: string;
  /**
   * For a worker: the writer of the process that has opened the index with `openDiskIndex`. Without it, this process
   * opens the index itself, and no other process may.
   */
  readonly writer?: IndexWriter | undefined;
  /** Memory for small files, in bytes. 64 MB by default. */
  readonly cacheBytes?: number | undefined;
  /** Files up to this many bytes are read in one go and may be cached in memory. 64 KB by default. */
  readonly smallBytes?: number | undefined;
  /**
   * Called with the progress of reading folders for a listing, if it takes more than two seconds, as the first listing of a large
   * folder does. With workers, it is called in the process that has opened the index.
   */
  readonly onRead?: ((progress: ReadProgress) => void) | undefined;
  /** Milliseconds since the epoch. */
  readonly clock?: (() => number) | undefined;
}

const FORMS: FormsOf<DiskOptions> = {
  root: text,
  writer: object,
  cacheBytes: wholeNumber(0),
  smallBytes: wholeNumber(0),
  onRead: callback,
  clock: callback,
};

/** A file that changes between `fstat` and `read` is being written in place. */
const CHANGING_ATTEMPTS = 5;

/**
 * Opens a folder as storage.
 *
 * @example
 * ```ts
 * import { mkdir } from "node:fs/promises";
 * import { disk } from "@daypass/gateway/disk";
 *
 * await mkdir("files", { recursive: true });
 * const storage = await disk({ root: "files" });
 * const object = await storage.get({ bucket: "files", key: "hello.txt" });
 * object?.close();
 * await storage.close();
 * ```
 *
 * @throws {StorageError} `UNAVAILABLE` if the folder does not exist, cannot be opened or written, or is served by another gateway;
 *   `DISK_FULL` if the disk has no room for the index
 * @throws {DaypassError} `INVALID_INPUT` for options that cannot work
 */
export async function disk(options: DiskOptions): Promise<Storage> {
  expectForms(options, FORMS);
  if (options.root === undefined) throw invalidOption("root", "the folder to serve", undefined);
  const { clock = Date.now, smallBytes = 64 * 1024, cacheBytes = 64 * 1024 * 1024 } = options;
  const index = await openIndex(options);
  const { layout } = index;
  const digests = digestPool();
  const cache = smallFileCache({ capacity: cacheBytes, clock, lstat: lstatOrAbsent });
  const finder = objectFinder(index, smallBytes);
  const placer = objectPlacer(index, { finder, folders: folders(index.writer) });
  const parts = { finder, placer, bodies: bodyWriter(digests), clock };
  const store = objectStore(parts);
  const setTags = objectTagger(index, finder);
  const remove = objectRemover(index, finder);
  const list = objectLister(index);
  const writes = pendingWrites();
  const write = <T>(doing: string, step: () => Promise<T>): Promise<T> => writes.track(translating(doing, step));

  /** A small file is read and closed at once, so that most requests keep nothing open. */
  function opened(ref: ObjectRef, found: FoundObject, options: GetOptions): OpenObject | undefined {
    if (found.info.size > smallBytes) return fileObject(found);
    const bytes = readWhole(found);
    if (bytes === undefined) return undefined;
    const object = bytesObject(found.info, bytes);
    if (options.parts !== true && options.once !== true) {
      const { path, tiedTo, stats } = found;
      cache.add({ ref, path, tiedTo, identity: identityOf(stats), object });
    }
    return object;
  }

  const cached = (ref: ObjectRef, { parts }: GetOptions): OpenObject | undefined =>
    parts === true ? undefined : cache.get(ref);

  async function get(ref: ObjectRef, options: GetOptions): Promise<OpenObject | undefined> {
    const known = cached(ref, options);
    if (known !== undefined) return known;
    for (let attempts = 0; attempts < CHANGING_ATTEMPTS; attempts++) {
      const found = await finder.find(ref, options);
      if (found === undefined) return absent(ref);
      const object = opened(ref, found, options);
      if (object !== undefined) return object;
    }
    throw unavailable("another process is writing to the file");
  }

  async function head(ref: ObjectRef, options: GetOptions): Promise<ObjectInfo | undefined> {
    return cached(ref, options)?.info ?? (await finder.inspect(ref, options)) ?? absent(ref);
  }

  function absent(ref: ObjectRef): undefined {
    if (!layout.hasBucket(ref.bucket)) throw noSuchBucket(ref.bucket);
    return undefined;
  }

  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    await writes.ended();
    await digests.close();
    cache.clear();
    index.close();
  }

  return {
    name: "disk",
    getCached: (ref) => cache.get(ref),
    get: (ref, getOptions = {}) => translating("open the object", () => get(ref, getOptions)),
    head: (ref, getOptions = {}) => translating("look at the object", () => head(ref, getOptions)),
    filePath(ref) {
      // Other keys lie in the gateway's own folder, which no other user may read.
      const plain = layout.places(ref)?.plain;
      return plain !== undefined && lstatOrAbsent(plain)?.isFile() === true ? relative(layout.root, plain) : undefined;
    },
    put: (ref, body, putOptions = {}) => write("store the object", () => store.put(ref, body, putOptions)),
    copy: (source, target, copyOptions) => write("copy the object", () => store.copy(source, target, copyOptions)),
    setTags: (ref, tags) => write("tag the object", () => setTags(ref, tags)),
    ...diskMultipart(index, parts, write),
    delete: (ref, deleteOptions = {}) => write("delete the object", () => remove(ref, deleteOptions)),
    list: (bucket, listOptions) => translating("list the bucket", () => list(bucket, listOptions)),
    ...diskBuckets(index, list),
    isAvailable: layout.isHere,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

async function openIndex({ root, writer, ...options }: DiskOptions): Promise<DiskIndex> {
  if (writer === undefined) return openDiskIndex(root, options);
  return translating("open the index", async () => {
    const layout = openLayout(root, { owner: false });
    const reader = await openIndexReader(await writer.indexPath());
    const thread = fileThread(layout.root);
    return {
      layout,
      run: reader.run,
      reader,
      writer,
      thread,
      close() {
        thread.close();
        reader.close();
      },
    };
  });
}
