import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isStorageError, type Storage } from "../../src/storage/contract/storage.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { readBody } from "../../src/testing/contract-tools.ts";
import { openFiles, unknownFiles } from "../open-files.ts";
import { type FailingCalls, failingCalls } from "./failing-calls.ts";
import { chunks, removeRoot, tempRoot } from "./temp-root.ts";

const OLD = Buffer.alloc(3000, "o");
// Too large for one read or write.
const NEW = Buffer.alloc(200_000, "n");

let root: string;
let storage: Storage;
let calls: FailingCalls;

beforeAll(async () => {
  root = tempRoot();
  storage = await disk({ root });
  calls = failingCalls(root);
});

afterAll(async () => {
  calls.restore();
  await storage.close();
  removeRoot(root);
});

const refOf = (key: string) => ({ bucket: "bucket", key });
const putOld = (key: string) => storage.put(refOf(key), chunks(OLD), { metadata: { v: "old" }, tags: { v: "old" } });
const putNew = (key: string, options = {}) =>
  storage.put(refOf(key), chunks(NEW), { metadata: { v: "new" }, tags: { v: "new" }, ...options });

/** What a client sees of an object, in words. */
async function objectAt(key: string): Promise<string> {
  const { entries } = await storage.list("bucket", { prefix: key, limit: 1 });
  const listed = entries.map((entry) => (entry.kind === "object" ? entry.etag : entry.prefix));
  const object = await storage.get(refOf(key));
  if (object === undefined) return `none${listed.join()}`;
  const { info } = object;
  const bytes = await readBody(object.body());
  const name = [OLD, NEW, Buffer.concat([NEW, OLD])].findIndex((known) => known.equals(bytes));
  return [["old", "new", "joined"][name], info.metadata["v"], info.tags?.["v"], listed.join() === info.etag].join(" ");
}

const OLD_OBJECT = "old old old true";
const NEW_OBJECT = "new new new true";

interface Upload {
  readonly uploadId: string;
  readonly bucket: string;
  readonly key: string;
}

/** An upload of two parts. If the second arrives first, the parts must be copied. */
async function uploaded(key: string, numbers: readonly number[]): Promise<Upload> {
  const upload = await storage.createUpload(refOf(key), { metadata: { v: "new" }, tags: { v: "new" } });
  for (const number of numbers) {
    const bytes = number === 1 ? NEW : OLD;
    await storage.putPart(upload, number, chunks(bytes), { contentLength: bytes.length });
  }
  return upload;
}

async function complete(upload: Upload): Promise<unknown> {
  const { parts } = await storage.listParts(upload, { after: 0, limit: 10 });
  const named = parts.map(({ number, etag }) => ({ number, etag }));
  return storage.completeUpload(upload, named, { minPartSize: 0 });
}

async function partsOf(upload: Upload): Promise<string> {
  const page = await storage.listParts(upload, { after: 0, limit: 10 }).catch(() => undefined);
  return page === undefined ? "ended" : page.parts.map(({ number, size }) => `${number}: ${size}`).join();
}

interface Operation {
  before?(key: string): Promise<unknown>;
  run(key: string, before: unknown): Promise<unknown>;
  state(key: string, before: unknown): Promise<string>;
  /** The states before and after. */
  readonly states: readonly [before: string, after: string];
  /** Codes of a repetition that prove the success of the first call. */
  readonly done?: readonly string[];
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  "PUT of a new object": { run: (key) => putNew(key), state: objectAt, states: ["none", NEW_OBJECT] },
  "PUT over an object": {
    before: putOld,
    run: (key) => putNew(key),
    state: objectAt,
    states: [OLD_OBJECT, NEW_OBJECT],
  },
  "PUT into new folders": {
    run: (key) => putNew(`${key}/deep/a`),
    state: (key) => objectAt(`${key}/deep/a`),
    states: ["none", NEW_OBJECT],
  },
  "PUT of a key that no path can hold": {
    before: (key) => putOld(`${key}//a`),
    run: (key) => putNew(`${key}//a`),
    state: (key) => objectAt(`${key}//a`),
    states: [OLD_OBJECT, NEW_OBJECT],
  },
  "create-only PUT": {
    run: (key) => putNew(key, { ifNoneMatch: "*" }),
    state: objectAt,
    states: ["none", NEW_OBJECT],
    done: ["PRECONDITION_FAILED"],
  },
  DELETE: {
    before: putOld,
    run: (key) => storage.delete(refOf(key)),
    state: objectAt,
    states: [OLD_OBJECT, "none"],
  },
  tags: {
    before: putOld,
    run: (key) => storage.setTags(refOf(key), { v: "new" }),
    state: objectAt,
    states: [OLD_OBJECT, "old old new true"],
  },
  copy: {
    before: async (key) => [await putOld(key), await putNew(`source-${key}`)],
    run: async (key) => {
      const source = refOf(`source-${key}`);
      const { etag: sourceEtag = "" } = (await storage.head(source)) ?? {};
      return storage.copy(source, refOf(key), { sourceEtag });
    },
    state: objectAt,
    states: [OLD_OBJECT, NEW_OBJECT],
  },
  UploadPart: {
    before: (key) => uploaded(key, [1]),
    run: (_, upload) => storage.putPart(upload as Upload, 2, chunks(OLD), { contentLength: OLD.length }),
    state: (_, upload) => partsOf(upload as Upload),
    states: ["1: 200000", "1: 200000,2: 3000"],
  },
  "UploadPart of another length": {
    before: (key) => uploaded(key, [2]),
    run: (_, upload) => storage.putPart(upload as Upload, 1, chunks(NEW), { contentLength: NEW.length }),
    state: (_, upload) => partsOf(upload as Upload),
    states: ["2: 3000", "1: 200000,2: 3000"],
  },
  "CompleteMultipartUpload in place": {
    before: async (key) => (await putOld(key)) && uploaded(key, [1, 2]),
    run: (_, upload) => complete(upload as Upload),
    state: objectAt,
    states: [OLD_OBJECT, "joined new new true"],
    done: ["NO_SUCH_UPLOAD"],
  },
  "CompleteMultipartUpload by copies": {
    before: async (key) => (await putOld(key)) && uploaded(key, [2, 1]),
    run: (_, upload) => complete(upload as Upload),
    state: objectAt,
    states: [OLD_OBJECT, "joined new new true"],
    done: ["NO_SUCH_UPLOAD"],
  },
  AbortMultipartUpload: {
    before: (key) => uploaded(key, [1]),
    run: (_, upload) => storage.abortUpload(upload as Upload),
    state: (_, upload) => partsOf(upload as Upload),
    states: ["1: 200000", "ended"],
    done: ["NO_SUCH_UPLOAD"],
  },
  CreateBucket: {
    run: (key) => storage.createBucket(key),
    state: async (key) => String(await storage.hasBucket(key)),
    states: ["false", "true"],
    done: ["BUCKET_EXISTS"],
  },
  DeleteBucket: {
    before: async (key) => [await storage.createBucket(key), await storage.createUpload({ bucket: key, key: "a" })],
    run: (key) => storage.deleteBucket(key),
    state: async (key) => String(await storage.hasBucket(key)),
    states: ["true", "false"],
    done: ["NO_SUCH_BUCKET"],
  },
  GET: { before: putNew, run: objectAt, state: objectAt, states: [NEW_OBJECT, NEW_OBJECT] },
};

/** The open files of objects. */
const openObjects = () => openFiles(root).filter((path) => !/[.]db(-wal|-shm)?$/.test(path));

/** Reading an open file reports system errors unchanged. */
function isOfFiles(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

async function outcomeOf(promise: Promise<unknown>): Promise<string> {
  const late = new AbortController();
  const outcome = promise.then(
    () => "done",
    (error: unknown) => (isStorageError(error) || isOfFiles(error) ? String(error.code) : String(error)),
  );
  const waited = sleep(10_000, "never ends", { signal: late.signal }).catch(() => "");
  return Promise.race([outcome, waited]).finally(() => late.abort());
}

describe.skipIf(unknownFiles)(`a failure of each disk call in turn${unknownFiles ?? ""}`, () => {
  it.each(Object.entries(OPERATIONS))(
    "leaves the old or the new state of %s, and allows a repetition",
    async (name, operation) => {
      const { run, state, states, done = [] } = operation;
      let n = 1;
      for (; ; n++) {
        const key = `${name.replace(/\W/g, "").toLowerCase().slice(-12)}-${n}`;
        const before = await operation.before?.(key);
        calls.arm(n);
        const outcome = await outcomeOf(run(key, before));
        const count = calls.disarm();
        const where = `${outcome} after call ${n} of ${count}`;
        if (count < n) break;
        // The failed call may have been optional.
        expect(["done", name === "GET" ? "EIO" : "", "UNAVAILABLE"], where).toContain(outcome);
        if (name !== "GET") {
          const found = await state(key, before);
          expect(outcome === "done" ? states.slice(1) : states, where).toContain(found);
          expect(["done", ...done], where).toContain(await outcomeOf(run(key, before)));
        }
        expect(await state(key, before), where).toBe(states[1]);
        expect(openObjects(), where).toEqual([]);
      }
      // Fails if the operation made no disk call.
      expect(n).toBeGreaterThan(2);
    },
    60_000,
  );

  it("rejects an upload that took its name only if the flush of its folder failed", async () => {
    const unsure: number[] = [];
    for (let n = 1; ; n++) {
      const key = `taken-${n}`;
      calls.arm(n);
      const outcome = await outcomeOf(putNew(key, { ifNoneMatch: "*" }));
      if (calls.disarm() < n) break;
      if (outcome === "UNAVAILABLE" && (await objectAt(key)) === NEW_OBJECT) unsure.push(n);
    }
    // Opening the folder failed, or its flush.
    expect(unsure).toHaveLength(2);
  });
});

it("lists the other buckets if the disk of one fails", async () => {
  const named = async () => (await storage.buckets().catch(() => [])).map(({ name }) => name);
  const all = await named();
  const failingBucket = failingCalls(`${root}/bucket`);
  for (let n = 1; n <= 2; n++) {
    failingBucket.arm(n);
    expect(await named()).toEqual(all);
    expect(failingBucket.disarm()).toBeGreaterThanOrEqual(n);
  }
  failingBucket.restore();
});
