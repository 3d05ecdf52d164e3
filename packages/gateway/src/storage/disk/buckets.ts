/** The buckets of a root: its folders, and what is set for them in the index. */
import { readdirSync, statSync } from "node:fs";
import type { CorsRule } from "../../http/cors.ts";
import type { BucketInfo, Buckets } from "../contract/buckets.ts";
import { compareUtf8 } from "../contract/listing.ts";
import { StorageError } from "../contract/storage.ts";
import type { IndexReader, IndexWriter } from "./database/contract.ts";
import { translating } from "./errors.ts";
import type { Layout } from "./layout.ts";
import type { ListObjects } from "./listing/list-objects.ts";
import { LOOSE_BUCKET } from "./objects/key-path.ts";
import { abandonUpload } from "./uploads/upload-folder.ts";

const CORS = "cors";

export function diskBuckets(options: {
  readonly layout: Layout;
  readonly reader: IndexReader;
  readonly writer: IndexWriter;
  readonly list: ListObjects;
}): Buckets {
  const { layout, reader, writer, list } = options;

  function createdAt(name: string): Date | undefined {
    const path = layout.folder(name, "");
    const stats = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
    // Not every file system keeps a time of birth; then the clock of the last change is the best there is.
    return stats === undefined ? undefined : new Date(stats.birthtimeMs || stats.ctimeMs);
  }

  function infoOf(name: string): BucketInfo[] {
    const created = unlessAway(() => createdAt(name), new Date(0));
    return created === undefined ? [] : [{ name, created }];
  }

  /** One whose disk is away, or fails, is a bucket all the same, and must not keep the others from being named. */
  function unlessAway<T>(look: () => T, otherwise: T): T {
    try {
      return look();
    } catch (error) {
      if (!layout.isHere()) throw error;
      return otherwise;
    }
  }

  /** The uploads of a bucket that are under way. */
  function openUploads(bucket: string): readonly string[] {
    const ids: string[] = [];
    const open = (key: string, id: string) =>
      reader.uploads.openUploads({ bucket, key, id, until: undefined, limit: 100 });
    for (let rows = open("", ""); rows.length > 0; ) {
      ids.push(...rows.map(({ id }) => id));
      const last = rows.at(-1);
      rows = last === undefined ? [] : open(last.ref.key, last.id);
    }
    return ids;
  }

  async function dropUploads(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const claim = await writer.closeUpload(id);
      try {
        await abandonUpload(layout, id);
        await claim.finish("aborted");
      } finally {
        await claim.finish("kept");
      }
    }
  }

  return {
    buckets: () =>
      translating("list the buckets", async () => {
        const folders = readdirSync(layout.root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
        const names = new Set([...folders.map(({ name }) => name), LOOSE_BUCKET]);
        const sorted = [...names].filter((name) => unlessAway(() => layout.hasBucket(name), true)).sort(compareUtf8);
        return sorted.flatMap(infoOf);
      }),
    hasBucket: (bucket) => translating("look at the bucket", async () => layout.hasBucket(bucket)),
    createBucket: (bucket) => writer.createBucket(bucket),
    deleteBucket: (bucket) =>
      translating("remove the bucket", async () => {
        const { entries } = await list(bucket, { prefix: "", limit: 1 });
        if (entries.length > 0) throw new StorageError("BUCKET_NOT_EMPTY", "the bucket holds objects");
        // They end with their bucket. Those that begin behind it are uploads to another one of its name.
        const uploads = openUploads(bucket);
        await writer.removeBucket(bucket);
        await dropUploads(uploads);
      }),
    corsRules: (bucket) =>
      translating("read the bucket's rules", async () => {
        const text = reader.names.setting(bucket, CORS);
        return text === undefined ? [] : (JSON.parse(text) as readonly CorsRule[]);
      }),
    setCorsRules: (bucket, rules) =>
      writer.setForBucket(bucket, CORS, rules.length === 0 ? null : JSON.stringify(rules)),
  };
}
