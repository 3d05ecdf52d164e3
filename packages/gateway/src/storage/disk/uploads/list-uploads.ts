/** A page of the uploads that are open, by key and, within one, by id. */
import { behindPrefix, compareUtf8 } from "../../contract/listing.ts";
import type { ListUploadsOptions, UploadEntry, UploadPage } from "../../contract/multipart.ts";
import type { IndexReader } from "../database/contract.ts";
import type { Layout } from "../layout.ts";
import { noSuchBucket } from "../refusals.ts";
import { uploadInfo } from "./upload-info.ts";

export type UploadLister = (bucket: string, options: ListUploadsOptions) => UploadPage;

export function uploadLister({
  layout,
  reader,
}: {
  readonly layout: Layout;
  readonly reader: IndexReader;
}): UploadLister {
  function* entries(bucket: string, options: ListUploadsOptions): Generator<UploadEntry> {
    const { prefix, delimiter, limit } = options;
    const until = behindPrefix(prefix);
    // Of the rows of one read those behind a common prefix are read for nothing: a page of prefixes would read a page of rows for each.
    const first = delimiter === undefined ? limit + 1 : 1;
    let most = first;
    let from = startOf(options);
    while (from !== undefined) {
      const rows = reader.uploads.openUploads({ bucket, ...from, until, limit: most });
      most = Math.min(most * 2, limit + 1);
      from = undefined;
      for (const row of rows) {
        const common = commonPrefix(row.ref.key, prefix, delimiter);
        if (common === undefined) {
          yield { kind: "upload", upload: uploadInfo(row) };
          from = { key: row.ref.key, id: row.id };
        } else {
          yield { kind: "prefix", prefix: common };
          from = keyFrom(behindPrefix(common));
          most = first;
          break;
        }
      }
    }
  }

  return (bucket, options) => {
    if (!layout.hasBucket(bucket)) throw noSuchBucket(bucket);
    const page: UploadEntry[] = [];
    for (const entry of entries(bucket, options)) {
      if (page.length === options.limit) return { entries: page, truncated: true };
      page.push(entry);
    }
    return { entries: page, truncated: false };
  };
}

/** A place in the order of keys and, within one, of ids: what is behind it follows. */
interface Start {
  readonly key: string;
  readonly id: string;
}

/** Text that is behind every id. */
const BEHIND_IDS = "~";

function startOf({ prefix, after }: ListUploadsOptions): Start | undefined {
  const first = { key: prefix, id: "" };
  if (after === undefined) return first;
  const start =
    "prefix" in after ? keyFrom(behindPrefix(after.prefix)) : { key: after.key, id: after.uploadId ?? BEHIND_IDS };
  return start !== undefined && compareUtf8(start.key, prefix) < 0 ? first : start;
}

function keyFrom(key: string | undefined): Start | undefined {
  return key === undefined ? undefined : { key, id: "" };
}

function commonPrefix(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
  return end < 0 || delimiter === undefined ? undefined : key.slice(0, end + delimiter.length);
}
