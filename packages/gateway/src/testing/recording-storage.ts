import type { ObjectRef, Storage } from "../storage/storage.ts";

/** A storage that was called with a name, in order. */
export interface StorageCall {
  readonly method: keyof Storage;
  readonly ref: ObjectRef | string | undefined;
}

export interface RecordingStorage extends Storage {
  readonly calls: readonly StorageCall[];
}

/**
 * Wraps a storage and writes down every call: the proof that a refused request has reached nothing. Bodies pass unread.
 *
 * @example
 * ```ts
 * import { recordingStorage, testGateway } from "@daypass/gateway/testing";
 *
 * const gateway = await testGateway({ storage: recordingStorage });
 * await fetch(`${gateway.url}/media/a.txt`); // refused, and gateway.storage has recorded no call
 * await gateway.close();
 * ```
 */
export function recordingStorage(inner: Storage): RecordingStorage {
  const calls: StorageCall[] = [];
  const record = (method: keyof Storage, ref?: ObjectRef | string): void => void calls.push({ method, ref });
  return {
    name: inner.name,
    calls,
    get(ref, options) {
      record("get", ref);
      return inner.get(ref, options);
    },
    getCached(ref) {
      record("getCached", ref);
      return inner.getCached?.(ref);
    },
    head(ref, options) {
      record("head", ref);
      return inner.head(ref, options);
    },
    put(ref, body, options) {
      record("put", ref);
      return inner.put(ref, body, options);
    },
    delete(ref, options) {
      record("delete", ref);
      return inner.delete(ref, options);
    },
    list(bucket, options) {
      record("list", bucket);
      return inner.list(bucket, options);
    },
    buckets() {
      record("buckets");
      return inner.buckets();
    },
    hasBucket(bucket) {
      record("hasBucket", bucket);
      return inner.hasBucket(bucket);
    },
    createBucket(bucket) {
      record("createBucket", bucket);
      return inner.createBucket(bucket);
    },
    deleteBucket(bucket) {
      record("deleteBucket", bucket);
      return inner.deleteBucket(bucket);
    },
    corsRules(bucket) {
      record("corsRules", bucket);
      return inner.corsRules(bucket);
    },
    setCorsRules(bucket, rules) {
      record("setCorsRules", bucket);
      return inner.setCorsRules(bucket, rules);
    },
    close: () => inner.close(),
  };
}
