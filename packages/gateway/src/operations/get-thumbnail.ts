import { bytesOf } from "../links/zip.ts";
import type { BoundedMap } from "../storage/contract/bounded-map.ts";
import type { Body, ObjectInfo } from "../storage/contract/storage.ts";
import { type GetObject, getObject, headObject } from "./get-object.ts";
import type { OperationContext } from "./operation-context.ts";
import { type PictureSize, readPictureHead } from "./picture-head.ts";
import { noSuchKey } from "./refusals.ts";

/** A small picture of an object. */
export interface GetThumbnail extends Pick<GetObject, "object" | "conditions" | "check"> {
  readonly operation: "get-thumbnail";
  /** Whether a browser may show the bytes of the object. */
  readonly isShown: (info: ObjectInfo) => boolean;
  /** By ETag. Gets the size that was read. */
  readonly sizes: BoundedMap<PictureSize>;
}

export interface FoundThumbnail {
  readonly info: ObjectInfo;
  readonly notModified: boolean;
  /** The whole object, or the JPEG inside it; `undefined` if there is no picture to show. */
  readonly picture?: { readonly isWhole: boolean; readonly body: Body; readonly length: number } | undefined;
}

/** Bytes of a picture that is its own thumbnail. */
const MAX_WHOLE = 512 * 1024;
/** The first bytes of a picture that are read. A camera's Exif, of at most 64 KB, stands first. */
const HEAD = 128 * 1024;

/**
 * Reads the head of a picture unless its size is known and it is small.
 * @throws {Refusal} `NO_SUCH_KEY`, `PRECONDITION_FAILED`
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export async function getThumbnail(request: GetThumbnail, context: OperationContext): Promise<FoundThumbnail> {
  const { object, conditions, check, isShown, sizes } = request;
  const range = undefined;
  const { info, notModified } = await headObject(
    { operation: "head-object", object, conditions, range, check },
    context,
  );
  if (notModified || info.size === 0 || !isShown(info)) return { info, notModified };
  // An object that is replaced meanwhile was not judged.
  const same = ({ etag }: ObjectInfo): void => {
    if (etag !== info.etag) throw noSuchKey();
  };
  const read = async (range: GetObject["range"]): Promise<Body | undefined> =>
    (await getObject({ operation: "get-object", object, conditions: undefined, range, check: same }, context)).body;
  const isSmall = info.size <= MAX_WHOLE;
  if (!isSmall || sizes.get(info.etag) === undefined) {
    const head = readPictureHead(
      await bytesUpTo(HEAD, await read({ range: `bytes=0-${HEAD - 1}`, ifRange: undefined })),
    );
    if (head.size !== undefined) sizes.set(info.etag, head.size);
    const { thumbnail: bytes } = head;
    if (!isSmall)
      return {
        info,
        notModified,
        picture: bytes && { isWhole: false, body: { kind: "bytes", bytes }, length: bytes.length },
      };
  }
  const body = await read(undefined);
  return { info, notModified, picture: body && { isWhole: true, body, length: info.size } };
}

async function bytesUpTo(limit: number, body: Body | undefined): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  if (body === undefined) return Buffer.alloc(0);
  for await (const piece of bytesOf(body)) {
    pieces.push(piece);
    length += piece.length;
    if (length >= limit) break;
  }
  return Buffer.concat(pieces, Math.min(length, limit));
}
