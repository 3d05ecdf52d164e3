/** A copy inside the storage: no byte leaves the machine, and none is digested where the digests are known already. */
import { closeSync, fstatSync } from "node:fs";
import { contentTypeOf } from "../../../http/content-type.ts";
import { preconditionFailed } from "../../contract/preconditions.ts";
import { type CopyOptions, type ObjectInfo, type ObjectRef, StorageError } from "../../contract/storage.ts";
import type { Layout } from "../layout.ts";
import { noSuchBucket } from "../refusals.ts";
import { keptChecksum, type UploadWriter } from "./write-body.ts";
import { syncFile } from "../flush.ts";
import { copyWhole, rangeBody } from "./file-bytes.ts";
import { type FoundObject, infoOf, type ObjectFinder } from "./find-object.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { ObjectPlacer, Temp } from "./place-object.ts";
import { someTags } from "./store-object.ts";

export type CopyObject = (
  source: ObjectRef,
  target: ObjectRef,
  options: CopyOptions,
) => Promise<ObjectInfo | undefined>;

export interface ObjectCopierOptions {
  readonly layout: Layout;
  readonly finder: ObjectFinder;
  readonly placer: ObjectPlacer;
  readonly uploads: UploadWriter;
}

/** What a copy has in common with its source, whatever else the caller says. */
type Identity = Pick<ObjectInfo, "etag" | "checksums">;

export function objectCopier({ layout, finder, placer, uploads }: ObjectCopierOptions): CopyObject {
  async function copyBytes(found: FoundObject, temp: Temp, options: CopyOptions): Promise<Identity> {
    const known = knownIdentity(found.info, options.checksum);
    if (known !== undefined) {
      await copyWhole(found.fd, temp.fd);
      return known;
    }
    const algorithm = options.checksum ?? algorithmOf(found.info);
    const checksum = algorithm === undefined ? undefined : { algorithm };
    const { size } = found.info;
    const { digests } = await uploads.write(
      { fd: temp.fd, position: 0 },
      rangeBody({ fd: found.fd, start: 0, length: size }),
      { checksum, contentLength: size, signal: options.signal },
    );
    return { etag: Buffer.from(digests.md5).toString("hex"), checksums: keptChecksum({ checksum }, digests) };
  }

  async function store(found: FoundObject, target: ObjectRef, options: CopyOptions): Promise<ObjectInfo> {
    const places = placer.placesOf(target);
    await placer.checkPreconditions(target, options);
    return placer.withTemp(places, async (temp) => {
      const identity = await copyBytes(found, temp, options);
      // A file that somebody changes in place meanwhile has not the digests that its row tells of.
      if (fingerprintOf(fstatSync(found.fd, { bigint: true })) !== fingerprintOf(found.stats)) {
        throw new StorageError("UNAVAILABLE", "the source changed while it was copied");
      }
      await syncFile(temp.fd);
      const stats = fstatSync(temp.fd, { bigint: true });
      const { replace = found.info } = options;
      const row = {
        ref: target,
        fingerprint: fingerprintOf(stats),
        ...identity,
        contentType: replace.contentType ?? contentTypeOf(target.key),
        headers: replace.headers ?? {},
        metadata: replace.metadata ?? {},
        tags: someTags(options.tags ?? found.info.tags),
      };
      await placer.commit(temp.path, { row, places, conditions: options });
      return infoOf(row, stats);
    });
  }

  return async (source, target, options) => {
    const found = await finder.find(source);
    if (found === undefined) {
      if (!layout.hasBucket(source.bucket)) throw noSuchBucket(source.bucket);
      return undefined;
    }
    try {
      if (found.info.etag !== options.sourceEtag) throw preconditionFailed();
      return await store(found, target, options);
    } finally {
      closeSync(found.fd);
    }
  };
}

const MD5 = /^[0-9a-f]{32}$/;

/** ETag and checksum of the copy where they are those of the source: MD5 and a checksum of all bytes, by the algorithm wanted. */
function knownIdentity({ etag, checksums }: ObjectInfo, wanted: CopyOptions["checksum"]): Identity | undefined {
  const [[algorithm, value] = []] = Object.entries(checksums);
  const fits = (wanted ?? algorithm) === algorithm && value?.includes("-") !== true;
  return MD5.test(etag) && fits ? { etag, checksums } : undefined;
}

function algorithmOf({ checksums }: ObjectInfo): CopyOptions["checksum"] {
  return Object.keys(checksums)[0] as CopyOptions["checksum"];
}
