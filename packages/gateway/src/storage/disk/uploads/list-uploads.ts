/** A page of the open uploads, by key and, for one key, by id. */
import { compareUtf8, textAfterPrefix } from "../../contract/listing.ts";
import type { ListUploadsOptions, UploadEntry, UploadPage } from "../../contract/multipart.ts";
import type { DiskIndex } from "../database/contract.ts";
import { noSuchBucket } from "../errors.ts";
import { uploadInfo } from "./receive-parts.ts";

/** A place in the order of keys and, for one key, of ids. The entries after it follow. */
interface Start {
  readonly key: string;
  readonly id: string;
}

export function uploadLister({
  layout,
  reader,
}: DiskIndex): (bucket: string, options: ListUploadsOptions) => UploadPage {
  function* entries(bucket: string, options: ListUploadsOptions): Generator<UploadEntry> {
    const { prefix, delimiter, limit } = options;
    const until = textAfterPrefix(prefix);
    // With a delimiter, the rows after the first of a prefix are wasted. So the reads begin small, and double.
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
          from = keyFrom(textAfterPrefix(common));
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

/** Sorts after every id. */
const AFTER_IDS = "~";

function startOf({ prefix, after }: ListUploadsOptions): Start | undefined {
  const first = { key: prefix, id: "" };
  if (after === undefined) return first;
  const start =
    "prefix" in after ? keyFrom(textAfterPrefix(after.prefix)) : { key: after.key, id: after.uploadId ?? AFTER_IDS };
  return start !== undefined && compareUtf8(start.key, prefix) < 0 ? first : start;
}

function keyFrom(key: string | undefined): Start | undefined {
  return key === undefined ? undefined : { key, id: "" };
}

function commonPrefix(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
  return end < 0 || delimiter === undefined ? undefined : key.slice(0, end + delimiter.length);
}
