/** The buckets of a root: its folders, and their settings in the index. */
import { readdirSync, statSync } from "node:fs";
import type { CorsRule } from "../../http/cors.ts";
import type { Buckets } from "../contract/buckets.ts";
import { compareUtf8 } from "../contract/listing.ts";
import { StorageError } from "../contract/storage.ts";
import type { DiskIndex } from "./database/contract.ts";
import { translating } from "./errors.ts";
import type { ListObjects } from "./listing/list-objects.ts";
import { LOOSE_BUCKET } from "./objects/key-path.ts";
import { abandonUpload } from "./uploads/upload-folder.ts";

const CORS = "cors";
const ALL = Number.MAX_SAFE_INTEGER;

export function diskBuckets({ layout, reader, writer }: DiskIndex, list: ListObjects): Buckets {
  function createdAt(name: string): Date | undefined {
    const path = layout.folder(name, "");
    const stats = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
    // Some file systems keep no birth time. The last change is the closest then.
    return stats && new Date(stats.birthtimeMs || stats.ctimeMs);
  }

  /** One bucket whose disk fails must not keep the others from being listed. */
  function unlessFailing<T>(look: () => T, otherwise: T): T {
    try {
      return look();
    } catch (error) {
      if (!layout.isHere()) throw error;
      return otherwise;
    }
  }

  async function dropUpload(id: string): Promise<void> {
    const claim = await writer.closeUpload(id);
    try {
      await abandonUpload(layout, id);
      await claim.finish("aborted");
    } finally {
      await claim.finish("kept");
    }
  }

  return {
    buckets: () =>
      translating("list the buckets", async () => {
        const folders = readdirSync(layout.root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
        const names = [...new Set([...folders.map(({ name }) => name), LOOSE_BUCKET])]
          .filter((name) => unlessFailing(() => layout.hasBucket(name), true))
          .sort(compareUtf8);
        return names.flatMap((name) => {
          const created = unlessFailing(() => createdAt(name), new Date(0));
          return created === undefined ? [] : [{ name, created }];
        });
      }),
    hasBucket: (bucket) => translating("look at the bucket", async () => layout.hasBucket(bucket)),
    createBucket: (bucket) => writer.createBucket(bucket),
    deleteBucket: (bucket) =>
      translating("remove the bucket", async () => {
        const { entries } = await list(bucket, { prefix: "", limit: 1 });
        if (entries.length > 0) throw new StorageError("BUCKET_NOT_EMPTY", "the bucket holds objects");
        // Collected before the removal: later uploads belong to a new bucket of this name.
        const uploads = reader.uploads.openUploads({ bucket, key: "", id: "", until: undefined, limit: ALL });
        await writer.removeBucket(bucket);
        for (const { id } of uploads) await dropUpload(id);
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
