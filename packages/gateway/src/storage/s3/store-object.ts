import { keptPieces } from "../../http/kept-pieces.ts";
import { type BodyDigests, checkDigests } from "../contract/checked-body.ts";
import type { MultipartStorage } from "../contract/multipart.ts";
import { type ObjectInfo, type ObjectRef, type PutOptions, StorageError } from "../contract/storage.ts";
import { conditionalFault, type WriteConditions } from "./conditions.ts";
import type { HeldBytes } from "./held-memory.ts";
import { expectStorable, type Names } from "./names.ts";
import { dateOf, headersOfInfo, storedEtag, taggingHeader } from "./object-info.ts";
import type { ObjectReader } from "./read-object.ts";
import { base64, type EndlessBody, runningDigests, type SendableBody, uploadBody } from "./upload-body.ts";
import type { Upstream } from "./upstream.ts";
import { drop } from "./wire.ts";

export interface ObjectStoreOptions {
  readonly upstream: Upstream;
  readonly names: Names;
  readonly conditions: WriteConditions;
  readonly reader: ObjectReader;
  readonly multipart: MultipartStorage;
  readonly holdBytes: number;
  readonly heldBytes: () => HeldBytes;
  readonly clock: () => Date;
}

export type StoreObject = (ref: ObjectRef, body: AsyncIterable<Uint8Array>, options: PutOptions) => Promise<ObjectInfo>;

export function objectStore(store: ObjectStoreOptions): StoreObject {
  const { upstream, names, conditions, multipart, holdBytes, heldBytes } = store;

  async function storeWhole(ref: ObjectRef, body: SendableBody, options: PutOptions): Promise<ObjectInfo> {
    const { signal } = options;
    const bucket = await names.of(ref.bucket);
    const { key } = ref;
    const condition = await conditions.headers("put", { bucket, key }, options);
    const headers = { ...headersOfInfo(key, options), ...taggingHeader(options.tags), ...body.headers, ...condition };
    const doing = "store the object";
    const call = { doing, method: "PUT", bucket, key, headers, body: body.body, signal };
    const { answer, fault } = await upstream.ask(call);
    if (fault !== undefined) throw conditionalFault(fault, doing, condition);
    drop(answer);
    const etag = storedEtag(answer.headers.etag, doing);
    return describeStored(store, ref, { ...stored(options, body.digests()), etag, size: body.length });
  }

  /**
   * S3 wants to know a length before the first byte; of a part it is known once the part is full. What was counted until the body was
   * seen to be endless stays counted, as the room for each part to come: an upload that was let in is not refused after gigabytes.
   */
  async function storeInParts(ref: ObjectRef, { held, rest }: EndlessBody, options: PutOptions): Promise<ObjectInfo> {
    const { contentType, headers, metadata, tags, ifMatch, ifNoneMatch, signal } = options;
    const upload = await multipart.createUpload(ref, { contentType, headers, metadata, tags, signal });
    const digests = runningDigests(options, []);
    const parts: { number: number; etag: string }[] = [];
    const kept = keptPieces();
    let filled = 0;
    let size = 0;
    const flush = async (): Promise<void> => {
      const number = parts.length + 1;
      const body = Buffer.concat(kept.take(), filled);
      filled = 0;
      const { etag } = await multipart.putPart(upload, number, single(body), { contentLength: body.length, signal });
      parts.push({ number, etag });
    };
    // Some upstreams (R2) want all parts but the last of one size.
    const add = async (piece: Uint8Array): Promise<void> => {
      digests.update(piece);
      size += piece.length;
      for (let at = 0; at < piece.length; ) {
        const cut = piece.subarray(at, at + holdBytes - filled);
        kept.add(cut);
        filled += cut.length;
        at += cut.length;
        if (filled === holdBytes) await flush();
      }
    };
    try {
      // This call lives as long as the upload, and what it has a name for with it.
      for (let piece = held.shift(); piece !== undefined; piece = held.shift()) await add(piece);
      for (;;) {
        const { done, value } = await rest.next();
        if (done === true) break;
        await add(value);
      }
      if (filled > 0) await flush();
      const found = digests.finish();
      checkDigests(options, found);
      const completed = await multipart.completeUpload(upload, parts, { minPartSize: 0, ifMatch, ifNoneMatch, signal });
      return await describeStored(store, ref, { ...stored(options, {}), etag: completed.etag, size });
    } catch (error) {
      await rest.return?.();
      // The fault that counts is the first.
      await multipart.abortUpload(upload).catch(() => {});
      throw error;
    }
  }

  return async (ref, body, options) => {
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
  };

  function stored(
    { contentType, headers = {}, metadata = {}, tags, checksum, digests }: PutOptions,
    found: BodyDigests,
  ) {
    const algorithm = checksum?.algorithm ?? (digests?.sha256 === undefined ? undefined : "sha256");
    const value = algorithm === undefined ? undefined : found[algorithm];
    return {
      contentType,
      headers,
      metadata,
      tags,
      checksums: algorithm === undefined || value === undefined ? {} : { [algorithm]: base64(value) },
    };
  }
}

/** What is known of an object that was just stored. */
export type JustStored = Omit<ObjectInfo, "lastModified" | "contentType"> & {
  readonly contentType?: string | undefined;
};

/** The description as every later reader gets it; where somebody else has replaced the object already, what is known of ours. */
export async function describeStored(
  { reader, clock }: { readonly reader: ObjectReader; readonly clock: () => Date },
  ref: ObjectRef,
  known: JustStored,
): Promise<ObjectInfo> {
  const info = await reader.head(ref, {}).catch(() => undefined);
  if (info !== undefined && info.etag === known.etag) return info;
  const { tags, ...rest } = known;
  const contentType = known.contentType ?? headersOfInfo(ref.key, {})["content-type"] ?? "";
  const tagged = tags === undefined || Object.keys(tags).length === 0 ? {} : { tags };
  return { ...rest, ...tagged, contentType, lastModified: dateOf(clock().toUTCString()) };
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
