import { contentTypeOf } from "../../http/content-type.ts";
import { keptPieces } from "../../http/kept-pieces.ts";
import { optionalText } from "../../http/xml-reader.ts";
import { type BodyDigests, checkDigests } from "../contract/checked-body.ts";
import type { MultipartStorage } from "../contract/multipart.ts";
import { preconditionFailed } from "../contract/preconditions.ts";
import {
  type CopyOptions,
  type DeleteOptions,
  type ObjectInfo,
  type ObjectRef,
  type PutOptions,
  StorageError,
} from "../contract/storage.ts";
import { conditionalFault } from "./conditions.ts";
import type { DriverContext } from "./driver-context.ts";
import { expectStorable } from "./names.ts";
import { copySource, dateOf, headersOfInfo, storedEtag, taggingHeader } from "./object-info.ts";
import { base64, type EndlessBody, runningDigests, type SendableBody, uploadBody } from "./upload-body.ts";

/** Storing, copying and deleting whole objects. */
export interface ObjectWriter {
  put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<ObjectInfo>;
  /** Copies inside the upstream: no byte passes through the gateway. */
  copy(source: ObjectRef, target: ObjectRef, options: CopyOptions): Promise<ObjectInfo | undefined>;
  delete(ref: ObjectRef, options: DeleteOptions): Promise<boolean>;
}

export function objectWriter(driver: DriverContext, multipart: MultipartStorage): ObjectWriter {
  const { upstream, names, conditions, reader, holdBytes, heldBytes } = driver;

  async function storeWhole(ref: ObjectRef, body: SendableBody, options: PutOptions): Promise<ObjectInfo> {
    const bucket = await names.of(ref.bucket);
    const { key } = ref;
    const condition = await conditions.headers("put", { bucket, key }, options);
    const doing = "store the object";
    const answer = await upstream.send({
      doing,
      method: "PUT",
      bucket,
      key,
      headers: { ...headersOfInfo(key, options), ...taggingHeader(options.tags), ...body.headers, ...condition },
      body: body.body,
      signal: options.signal,
      error: conditionalFault(condition),
    });
    const etag = storedEtag(answer.headers.etag, doing);
    return describeStored(driver, ref, { ...stored(options, body.digests()), etag, size: body.length });
  }

  /**
   * S3 needs the length before the first byte. The length of a part is known when the part is full. The memory that was counted before the
   * body proved endless stays reserved for the parts, so an admitted upload is not refused after gigabytes.
   */
  async function storeInParts(ref: ObjectRef, { held, rest }: EndlessBody, options: PutOptions): Promise<ObjectInfo> {
    const { contentType, headers, metadata, tags, ifMatch, ifNoneMatch, signal } = options;
    const upload = await multipart.createUpload(ref, { contentType, headers, metadata, tags, signal });
    const digests = runningDigests(options, []);
    const parts: { number: number; etag: string }[] = [];
    let size = 0;
    const pieces = equalParts(holdBytes, async (body) => {
      const number = parts.length + 1;
      const { etag } = await multipart.putPart(upload, number, single(body), { contentLength: body.length, signal });
      parts.push({ number, etag });
    });
    const add = (piece: Uint8Array): Promise<void> => {
      digests.update(piece);
      size += piece.length;
      return pieces.add(piece);
    };
    try {
      // Shifted out, because this call holds the list for as long as the upload takes.
      for (let piece = held.shift(); piece !== undefined; piece = held.shift()) await add(piece);
      for (let next = await rest.next(); next.done !== true; next = await rest.next()) await add(next.value);
      await pieces.end();
      checkDigests(options, digests.finish());
      const completed = await multipart.completeUpload(upload, parts, { minPartSize: 0, ifMatch, ifNoneMatch, signal });
      return await describeStored(driver, ref, { ...stored(options, {}), etag: completed.etag, size });
    } catch (error) {
      await rest.return?.();
      // The first error counts.
      await multipart.abortUpload(upload).catch(() => {});
      throw error;
    }
  }

  return {
    async put(ref, body, options) {
      expectStorable(ref);
      await names.of(ref.bucket);
      if (options.signal?.aborted === true) throw new StorageError("INCOMPLETE_BODY", "the request was aborted");
      const memory = heldBytes();
      try {
        const ready = await uploadBody(body, options, { holdBytes, memory });
        return await (ready.kind === "sendable" ? storeWhole(ref, ready, options) : storeInParts(ref, ready, options));
      } finally {
        memory.release();
      }
    },

    async copy(source, target, options) {
      const { sourceEtag, tags, checksum, ifMatch, signal } = options;
      expectStorable(target);
      const { key } = target;
      const [from, bucket] = [await names.of(source.bucket), await names.of(target.bucket)];
      const info = await reader.head(source, { signal });
      if (info === undefined) return undefined;
      if (info.etag !== sourceEtag) throw preconditionFailed();
      // S3 refuses a copy of an object onto itself that changes nothing. Sending the same metadata renews the object.
      const onItself = from === bucket && source.key === key;
      const replace = options.replace ?? (onItself ? info : undefined);
      const condition = await conditions.headers("copy", { bucket, key }, options);
      const replaced =
        replace === undefined ? {} : { "x-amz-metadata-directive": "REPLACE", ...headersOfInfo(key, replace) };
      const headers = {
        ...copySource(from, source.key, sourceEtag),
        ...replaced,
        ...(tags === undefined ? {} : { "x-amz-tagging-directive": "REPLACE", ...taggingHeader(tags) }),
        ...(checksum === undefined ? {} : { "x-amz-checksum-algorithm": checksum.toUpperCase() }),
        ...condition,
      };
      const doing = "copy the object";
      const call = { doing, method: "PUT", bucket, key, headers, signal };
      const { document, fault } = await upstream.readOrFault(call, "CopyObjectResult");
      if (fault?.code === "NoSuchKey" && ifMatch === undefined) return undefined;
      if (document === undefined) throw conditionalFault(condition)(fault, doing);
      // radosgw 18 on its file store answers without an ETag if it copied nothing.
      const etag = storedEtag(optionalText(document, "ETag"), doing);
      const { contentType, headers: kept = {}, metadata = {} } = { ...info, ...replace };
      return describeStored(driver, target, {
        size: info.size,
        etag,
        contentType,
        headers: kept,
        metadata,
        checksums: {},
        tags: tags ?? info.tags,
      });
    },

    /** S3 does not report whether the object existed, so the driver looks first. */
    async delete(ref, { ifMatch, signal }) {
      const bucket = await names.of(ref.bucket);
      const { key } = ref;
      const info = await reader.head(ref, { signal });
      if (ifMatch !== undefined && (info === undefined || (ifMatch !== "*" && info.etag !== ifMatch))) {
        throw preconditionFailed();
      }
      if (info === undefined) return false;
      // The object exists, which satisfies `*`.
      const condition = { ifMatch: ifMatch === "*" ? undefined : ifMatch };
      const headers = await conditions.headers("delete", { bucket, key }, condition);
      const doing = "delete the object";
      const fault = await upstream.faultOf({ doing, method: "DELETE", bucket, key, headers, signal });
      if (fault !== undefined && fault.code !== "NoSuchKey") throw conditionalFault(headers)(fault, doing);
      return true;
    },
  };
}

/** Returns the description that every later reader gets. If another client has replaced the object already, what is known of this one. */
async function describeStored(
  { reader, clock }: DriverContext,
  ref: ObjectRef,
  known: JustStored,
): Promise<ObjectInfo> {
  const info = await reader.head(ref, {}).catch(() => undefined);
  if (info !== undefined && info.etag === known.etag) return info;
  const { tags, contentType = contentTypeOf(ref.key), ...rest } = known;
  const tagged = tags === undefined || Object.keys(tags).length === 0 ? {} : { tags };
  return { ...rest, ...tagged, contentType, lastModified: dateOf(clock().toUTCString()) };
}

/** Some upstreams (R2) require equal sizes of all parts but the last. */
function equalParts(size: number, send: (part: Buffer) => Promise<void>) {
  const kept = keptPieces();
  let filled = 0;
  async function flush(): Promise<void> {
    const part = Buffer.concat(kept.take(), filled);
    filled = 0;
    await send(part);
  }
  return {
    async add(piece: Uint8Array): Promise<void> {
      for (let at = 0; at < piece.length; ) {
        const cut = piece.subarray(at, at + size - filled);
        kept.add(cut);
        filled += cut.length;
        at += cut.length;
        if (filled === size) await flush();
      }
    },
    async end(): Promise<void> {
      if (filled > 0) await flush();
    },
  };
}

/** What is known about an object that was just stored. */
type JustStored = Omit<ObjectInfo, "lastModified" | "contentType"> & { readonly contentType?: string | undefined };

function stored(
  { contentType, headers = {}, metadata = {}, tags, checksum, digests }: PutOptions,
  found: BodyDigests,
): Omit<JustStored, "etag" | "size"> {
  const algorithm = checksum?.algorithm ?? (digests?.sha256 === undefined ? undefined : "sha256");
  const value = algorithm === undefined ? undefined : found[algorithm];
  const checksums = algorithm === undefined || value === undefined ? {} : { [algorithm]: base64(value) };
  return { contentType, headers, metadata, tags, checksums };
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
