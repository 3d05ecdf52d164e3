import type { ObjectInfo, Storage } from "../../src/storage/contract/storage.ts";

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
  const upload = { bucket: "media", key: "a", uploadId: "0", created: new Date(0), checksum: undefined };
  const part = { number: 1, size: 7, etag: info.etag, lastModified: new Date(0), checksum: undefined };
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
    copy: () => called(info),
    setTags: () => called(true),
    delete: () => called(true),
    createUpload: () => called(upload),
    getUpload: () => called(upload),
    async putPart(_, __, body) {
      for await (const _chunk of body);
      return called(part);
    },
    copyPart: () => called(part),
    listParts: () => called({ upload, parts: [part], truncated: false }),
    listUploads: () => called({ entries: [{ kind: "upload", upload } as const], truncated: false }),
    completeUpload: () => called({ etag: info.etag, checksums: {} }),
    abortUpload: () => called(undefined),
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
