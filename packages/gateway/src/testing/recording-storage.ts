import type { ObjectRef, Storage } from "../storage/contract/storage.ts";

/** A storage that was called with a name, in order. */
export interface StorageCall {
  readonly method: keyof Storage;
  /** The first argument: an object, an upload or a bucket. */
  readonly ref: ObjectRef | string | undefined;
}

/** Storage that records its calls; created by {@link recordingStorage}. */
export interface RecordingStorage extends Storage {
  /** Every call so far, in order. It grows; nothing empties it. */
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
  // A proxy, so that new methods are recorded, too.
  return new Proxy(inner, {
    get(storage, name) {
      if (name === "calls") return calls;
      const value: unknown = Reflect.get(storage, name);
      if (typeof value !== "function" || name === "close") return value;
      return (...parameters: readonly unknown[]) => {
        const [ref] = parameters as readonly (ObjectRef | string | undefined)[];
        calls.push({ method: name as keyof Storage, ref });
        return Reflect.apply(value, storage, parameters);
      };
    },
  }) as RecordingStorage;
}
