/** Storing an object in one piece, and copying one inside the storage. */
import { fstatSync } from "node:fs";
import { contentTypeOf } from "../../../http/content-type.ts";
import { preconditionFailed } from "../../contract/preconditions.ts";
import type { CopyOptions, ObjectInfo, ObjectRef, PutOptions } from "../../contract/storage.ts";
import { unavailable } from "../errors.ts";
import { syncFile } from "../flush.ts";
import { copyWhole, rangeBody } from "./file-bytes.ts";
import { type FoundObject, infoOf, type ObjectFinder } from "./find-object.ts";
import { fingerprintOf } from "./open-file.ts";
import type { ObjectPlacer, Preconditions, Temp } from "./place-object.ts";
import { type BodyWriter, keptChecksum } from "./write-body.ts";

export interface StoreParts {
  readonly finder: ObjectFinder;
  readonly placer: ObjectPlacer;
  readonly bodies: BodyWriter;
}

/** What the bytes of an object determine. */
type Identity = Pick<ObjectInfo, "etag" | "checksums">;

export interface ObjectStore {
  put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<ObjectInfo>;
  copy(source: ObjectRef, target: ObjectRef, options: CopyOptions): Promise<ObjectInfo | undefined>;
}

export function objectStore({ finder, placer, bodies }: StoreParts): ObjectStore {
  /** Stores the bytes that `fill` writes into a temp file. */
  async function store(
    ref: ObjectRef,
    described: Preconditions & Pick<PutOptions, "contentType" | "headers" | "metadata" | "tags">,
    fill: (temp: Temp) => Promise<Identity>,
  ): Promise<ObjectInfo> {
    const places = placer.placesOf(ref);
    await placer.checkPreconditions(ref, described);
    return placer.withTemp(places, async (temp) => {
      const identity = await fill(temp);
      await syncFile(temp.fd);
      const stats = fstatSync(temp.fd, { bigint: true });
      const row = {
        ref,
        fingerprint: fingerprintOf(stats),
        ...identity,
        contentType: described.contentType ?? contentTypeOf(ref.key),
        headers: described.headers ?? {},
        metadata: described.metadata ?? {},
        tags: someTags(described.tags),
      };
      await placer.commit(temp.path, { row, places, conditions: described });
      return infoOf(row, stats);
    });
  }

  async function write(
    temp: Temp,
    body: AsyncIterable<Uint8Array>,
    options: Parameters<BodyWriter["write"]>[2],
  ): Promise<Identity> {
    const { digests } = await bodies.write({ fd: temp.fd, position: 0 }, body, options);
    return { etag: Buffer.from(digests.md5).toString("hex"), checksums: keptChecksum(options, digests) };
  }

  async function copyBytes(found: FoundObject, temp: Temp, options: CopyOptions): Promise<Identity> {
    const known = knownIdentity(found.info, options.checksum);
    if (known !== undefined) {
      await copyWhole(found.fd, temp.fd);
      return known;
    }
    const [stored] = Object.keys(found.info.checksums) as (CopyOptions["checksum"] | undefined)[];
    const algorithm = options.checksum ?? stored;
    const checksum = algorithm === undefined ? undefined : { algorithm };
    const { size } = found.info;
    const body = rangeBody({ fd: found.fd, start: 0, length: size });
    return write(temp, body, { checksum, contentLength: size, signal: options.signal });
  }

  return {
    put: (ref, body, options) => store(ref, options, (temp) => write(temp, body, options)),
    copy: (source, target, options) =>
      finder.using(source, async (found) => {
        if (found.info.etag !== options.sourceEtag) throw preconditionFailed();
        const { replace = found.info, tags = found.info.tags, ifMatch, ifNoneMatch } = options;
        return store(target, { ...replace, tags, ifMatch, ifNoneMatch }, async (temp) => {
          const identity = await copyBytes(found, temp, options);
          // The digests of the source's row do not fit a file that was changed in place meanwhile.
          if (fingerprintOf(fstatSync(found.fd, { bigint: true })) !== fingerprintOf(found.stats)) {
            throw unavailable("the source changed while it was copied");
          }
          return identity;
        });
      }),
  };
}

const MD5 = /^[0-9a-f]{32}$/;

/** ETag and checksum of a copy, if they equal the source's: an MD5, and a checksum of all bytes by the wanted algorithm. */
function knownIdentity({ etag, checksums }: ObjectInfo, wanted: CopyOptions["checksum"]): Identity | undefined {
  const [[algorithm, value] = []] = Object.entries(checksums);
  const fits = (wanted ?? algorithm) === algorithm && value?.includes("-") !== true;
  return MD5.test(etag) && fits ? { etag, checksums } : undefined;
}

/** An empty list of tags equals none. */
export function someTags(tags: ObjectInfo["tags"]): ObjectInfo["tags"] {
  return tags === undefined || Object.keys(tags).length === 0 ? undefined : tags;
}
