/** An upload in one piece. */
import { fstatSync } from "node:fs";
import { contentTypeOf } from "../../../http/content-type.ts";
import type { ObjectInfo, ObjectRef, PutOptions } from "../../contract/storage.ts";
import type { IndexRow } from "../database/contract.ts";
import { keptChecksum, type Uploaded, type UploadWriter } from "./write-body.ts";
import { syncFile } from "../flush.ts";
import { infoOf } from "./find-object.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { ObjectPlacer } from "./place-object.ts";

export type StoreObject = (ref: ObjectRef, body: AsyncIterable<Uint8Array>, options: PutOptions) => Promise<ObjectInfo>;

export function objectStore(placer: ObjectPlacer, uploads: UploadWriter): StoreObject {
  return async (ref, body, options) => {
    const places = placer.placesOf(ref);
    await placer.checkPreconditions(ref, options);
    return placer.withTemp(places, async ({ fd, path }) => {
      const uploaded = await uploads.write({ fd, position: 0 }, body, options);
      await syncFile(fd);
      const stats = fstatSync(fd, { bigint: true });
      const row = rowOf(ref, fingerprintOf(stats), uploaded, options);
      await placer.commit(path, { row, places, conditions: options });
      return infoOf(row, stats);
    });
  };
}

function rowOf(ref: ObjectRef, fingerprint: string, uploaded: Uploaded, options: PutOptions): IndexRow {
  return {
    ref,
    fingerprint,
    etag: Buffer.from(uploaded.digests.md5).toString("hex"),
    contentType: options.contentType ?? contentTypeOf(ref.key),
    headers: options.headers ?? {},
    metadata: options.metadata ?? {},
    checksums: keptChecksum(options, uploaded.digests),
    tags: someTags(options.tags),
  };
}

/** No tags and an empty list of them are the same. */
export function someTags(
  tags: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> | undefined {
  return tags === undefined || Object.keys(tags).length === 0 ? undefined : tags;
}
