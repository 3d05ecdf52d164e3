import type { ObjectInfo, Storage } from "../../src/storage/storage.ts";

/** A storage in which every object exists, and that counts what it is asked: nothing of a refused request may reach it. */
export interface StubStorage extends Storage {
  readonly calls: number;
}

export function stubStorage(): StubStorage {
  const bytes = Buffer.from("content");
  const info: ObjectInfo = {
    size: bytes.length,
    etag: "9a0364b9e99bb480dd25e1f0284c8555",
    lastModified: new Date(0),
    contentType: "text/plain",
    headers: {},
    metadata: {},
    checksums: {},
  };
  let calls = 0;
  const called = <T>(result: T): Promise<T> => {
    calls += 1;
    return Promise.resolve(result);
  };
  return {
    name: "stub",
    get calls() {
      return calls;
    },
    get: () => called({ info, body: () => ({ kind: "bytes", bytes }) as const, close() {} }),
    head: () => called(info),
    async put(_, body) {
      for await (const _chunk of body);
      return called(info);
    },
    delete: () => called(true),
    list: () => called({ entries: [], truncated: false }),
    buckets: () => called([]),
    hasBucket: () => called(true),
    createBucket: () => called(undefined),
    deleteBucket: () => called(undefined),
    corsRules: () => called([]),
    setCorsRules: () => called(undefined),
    async close() {},
  };
}
