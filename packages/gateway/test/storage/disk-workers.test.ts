/** Several processes that share one index writer. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Storage } from "../../src/storage/contract/storage.ts";
import type { IndexRow, IndexWriter } from "../../src/storage/disk/database/contract.ts";
import { type IndexDatabase, openIndexDatabase } from "../../src/storage/disk/database/index-database.ts";
import { localIndexWriter } from "../../src/storage/disk/database/index-writer.ts";
import { answerCalls, caller } from "../../src/storage/disk/database/ipc-calls.ts";
import { keyLock } from "../../src/storage/disk/database/key-lock.ts";
import { disk, ipcIndexWriter, serveIndexWriter } from "../../src/storage/disk/index.ts";
import { collectGarbage } from "../collect-garbage.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { connection } from "./connection.ts";
import { chunks, leakedTemps, openDisk, openIndex, ownRoot } from "./temp-root.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const refOf = (key: string) => ({ bucket: "bucket", key });

function put(key: string, fingerprint: string) {
  const row: IndexRow = {
    ref: refOf(key),
    fingerprint,
    etag: "e",
    contentType: "t",
    headers: {},
    metadata: {},
    checksums: {},
  };
  return { kind: "put", row } as const;
}

/** An index, and the writer of a worker that dies with `close`. */
async function withRemote() {
  const root = ownRoot();
  const index = await openIndex(root);
  const { primary, worker, close } = connection();
  serveIndexWriter(primary, index.writer);
  return { root, index, remote: ipcIndexWriter(worker), close };
}

/** A local writer over a database whose transactions are replaced. */
async function localWriter(replace: (database: IndexDatabase) => Partial<IndexDatabase>) {
  const database = await openIndexDatabase(join(ownRoot(), "index.db"), "0");
  const space = { isDiskFull: () => false, spending: <T>(step: () => T) => step(), keep: async () => {} };
  return { database, writer: localIndexWriter({ database: { ...database, ...replace(database) }, space }) };
}

it("shows each worker the objects, buckets and rules of the others, and files of other programs", async () => {
  const root = ownRoot();
  const index = await openIndex(root);
  const [left, right] = (await Promise.all(
    ["left", "right"].map(() => {
      const wire = connection();
      serveIndexWriter(wire.primary, index.writer);
      return openDisk({ root, writer: ipcIndexWriter(wire.worker) });
    }),
  )) as [Storage, Storage];
  const bucket = "made-here";
  const keys = async (storage: Storage): Promise<string[]> =>
    (await storage.list(bucket, { prefix: "", limit: 100 })).entries.map((entry) =>
      entry.kind === "object" ? entry.key : entry.prefix,
    );
  await left.createBucket(bucket);
  await expect(right.createBucket(bucket)).rejects.toMatchObject({ code: "BUCKET_EXISTS" });
  await left.put({ bucket, key: "a" }, chunks("x"));
  await right.put({ bucket, key: "b//c" }, chunks("x"));
  mkdirSync(join(root, bucket, "folder"));
  writeFileSync(join(root, bucket, "folder/d"), "x");
  for (const storage of [left, right]) expect(await keys(storage)).toEqual(["a", "b//c", "folder/d"]);
  await left.delete({ bucket, key: "b//c" });
  rmSync(join(root, bucket, "folder"), { recursive: true });
  for (const storage of [right, left]) expect(await keys(storage)).toEqual(["a"]);
  const rule = { origins: ["*"], methods: ["GET"], headers: [], exposeHeaders: [] };
  await left.setCorsRules(bucket, [rule]);
  expect(await right.corsRules(bucket)).toEqual([rule]);
  await right.setCorsRules(bucket, []);
  expect(await left.corsRules(bucket)).toEqual([]);
  await expect(right.deleteBucket(bucket)).rejects.toMatchObject({ code: "BUCKET_NOT_EMPTY" });
  await left.delete({ bucket, key: "a" });
  await right.deleteBucket(bucket);
  expect(await left.hasBucket(bucket)).toBe(false);
});

interface Report {
  readonly results: readonly string[];
  readonly seen: readonly string[];
}

async function reportOf(child: ChildProcess): Promise<Report> {
  const report = new Promise<Report>((resolve) => {
    child.on("message", (message) => {
      if (typeof message === "object" && message !== null && "seen" in message) resolve(message as Report);
    });
  });
  const [[code]] = await Promise.all([once(child, "exit"), report]);
  expect(code).toBe(0);
  return report;
}

it("accepts each create-only upload of exactly one of two processes", async () => {
  const root = ownRoot();
  const index = await openIndex(root);
  const program = await bundledFixture("index-worker.ts");
  const children = ["left", "right"].map((name) => fork(program, [root, name]));
  for (const child of children) {
    const channel = {
      send: (message: unknown) => void child.send(message as object),
      onMessage: (listener: (message: unknown) => void) => void child.on("message", listener),
      onClose: (listener: () => void) => void child.on("disconnect", listener),
    };
    serveIndexWriter(channel, index.writer);
  }
  const [left, right] = await Promise.all(children.map(reportOf));
  for (let key = 0; key < 50; key++) {
    const outcome = [left?.results[key], right?.results[key]].sort();
    expect(outcome).toEqual(["PRECONDITION_FAILED", "stored"]);
    const winner = left?.results[key] === "stored" ? "left" : "right";
    expect([left?.seen[key], right?.seen[key]]).toEqual([winner, winner]);
  }
  expect(leakedTemps(root)).toEqual([]);
});

it("holds a claim until it ends or its worker dies", async () => {
  const { index, remote, close } = await withRemote();
  const order: string[] = [];
  const first = await remote.claim(refOf("a"), put("a", "1"));
  const second = remote.claim(refOf("a"), put("a", "2")).then(() => order.push("second"));
  await remote.claim(refOf("b"), put("b", "3"));
  order.push("another key");
  first.finish("stored");
  await second;
  expect(order).toEqual(["another key", "second"]);
  close();
  (await index.writer.claim(refOf("a"), put("a", "4"))).finish("abandoned");
  await expect(remote.claim(refOf("a"), { kind: "delete" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

it("releases the claims of a dead worker once each, and claims that are granted too late", async () => {
  const { index, remote, close } = await withRemote();
  await remote.claim(refOf("held"), put("held", "1"));
  (await remote.claim(refOf("done"), put("done", "2"))).finish("abandoned");
  const before = await index.writer.claim(refOf("awaited"), { kind: "delete" });
  const late = remote.claim(refOf("awaited"), { kind: "delete" });
  await remote.indexPath();
  close();
  await expect(late).rejects.toMatchObject({ code: "UNAVAILABLE" });
  before.finish("deleted");
  (await index.writer.claim(refOf("awaited"), { kind: "delete" })).finish("deleted");
  // The file of the dead worker may have its name already. The next start looks.
  expect(index.reader.find(refOf("held"), "1")?.etag).toBe("e");
  expect(index.reader.find(refOf("done"), "2")).toBeUndefined();
  // Fails if a claim is left or was released twice.
  await index.writer.removeBucket("bucket");
});

const PART = { uploadId: "id", ref: refOf("a"), number: 1, size: 1 };

/** The writer's uploads, with claims that are watched. */
function uploadsWriter(watch: (claim: object) => Promise<void> | void) {
  const ended: unknown[] = [];
  const granted = async (facts: object) => {
    const claim = { ...facts, finish: async (outcome: unknown) => void ended.push(outcome) };
    await watch(claim);
    return claim;
  };
  const writer = { openPart: () => granted({ position: 0 }), closeUpload: () => granted({ busy: false }) };
  return { ended, writer: writer as unknown as IndexWriter };
}

it.each<[string, unknown, (writer: IndexWriter) => Promise<unknown>]>([
  ["a part", undefined, ({ openPart }) => openPart(PART)],
  ["an upload", "kept", ({ closeUpload }) => closeUpload("id")],
])("releases a claim on %s that is granted after its worker died", async (_, outcome, ask) => {
  const { primary, worker, close } = connection();
  let grant: (() => void) | undefined;
  const { ended, writer } = uploadsWriter(
    () =>
      new Promise<void>((resolve) => {
        grant = resolve;
      }),
  );
  serveIndexWriter(primary, writer);
  const late = ask(ipcIndexWriter(worker));
  while (grant === undefined) await turn();
  close();
  await expect(late).rejects.toMatchObject({ code: "UNAVAILABLE" });
  grant();
  await turn();
  expect(ended).toEqual([outcome]);
});

it("keeps no claim in memory after its end", async () => {
  const { primary, worker } = connection();
  const held: WeakRef<object>[] = [];
  const { writer } = uploadsWriter((claim) => void held.push(new WeakRef(claim)));
  serveIndexWriter(primary, writer);
  const { openPart, closeUpload } = ipcIndexWriter(worker);
  await (await openPart(PART)).finish(undefined);
  await (await closeUpload("id")).finish("kept");
  await turn();
  collectGarbage();
  expect(held.map((claim) => claim.deref())).toEqual([undefined, undefined]);
});

it("keeps no answer in memory after it was read", async () => {
  const { primary, worker } = connection();
  answerCalls<string>(primary, async (question) => ({ question }));
  const { ask } = caller<string>(worker, "gone");
  const answer = async () => new WeakRef((await ask("what")) as object);
  const answered = await answer();
  await turn();
  collectGarbage();
  expect(answered.deref()).toBeUndefined();
});

it("answers only requests that wait, while the other end exists", async () => {
  const { primary, worker, close } = connection();
  const sent: unknown[] = [];
  const heard: string[] = [];
  let answer = (): void => {};
  const slow = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const counted = {
    ...primary,
    send(message: unknown) {
      sent.push(message);
      primary.send(message);
    },
  };
  answerCalls<string>(counted, async (question) => {
    heard.push(question);
    if (question === "slow") await slow;
  });
  const { ask, tell } = caller<string>(worker, "gone");
  tell("told");
  await ask("asked");
  expect([heard, sent.length]).toEqual([["told", "asked"], 1]);
  const pending = ask("slow");
  while (heard.length < 3) await turn();
  close();
  await expect(pending).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await expect(ask("late")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  tell("late");
  answer();
  await turn();
  await turn();
  expect([heard, sent.length]).toEqual([["told", "asked", "slow"], 1]);
});

it("commits changes that arrive together in one transaction", async () => {
  let transactions = 0;
  const { database, writer } = await localWriter((real) => ({
    transaction(steps) {
      transactions++;
      real.transaction(steps);
    },
  }));
  const keys = Array.from({ length: 500 }, (_, key) => `${key}`);
  const claims = await Promise.all(keys.map((key) => writer.claim(refOf(key), put(key, "1"))));
  expect(transactions).toBe(1);
  expect(database.find(refOf("499"), "1")?.etag).toBe("e");
  for (const claim of claims) claim.finish("stored");
  writer.close();
  expect(transactions).toBe(2);
  expect(database.unsettled()).toEqual([]);
  database.close();
});

it("reports a failed commit to all its changes, and releases their keys", async () => {
  let isBroken = true;
  const { database, writer } = await localWriter((real) => ({
    transaction(steps) {
      if (isBroken) throw Object.assign(new Error("disk I/O error"), { code: "ERR_SQLITE_ERROR", errcode: 10 });
      real.transaction(steps);
    },
  }));
  const claim = () => writer.claim(refOf("a"), put("a", "1"));
  const [first, second] = [claim(), claim()];
  for (const claimed of [first, second]) await expect(claimed).rejects.toMatchObject({ code: "UNAVAILABLE" });
  isBroken = false;
  (await claim()).finish("stored");
  writer.close();
  database.close();
});

it("locks keys together that have one file on a disk that folds names", async () => {
  const { index } = await withRemote();
  const done: string[] = [];
  const hold = async (key: string) => {
    const claim = await index.writer.claim(refOf(key), put(key, "1"));
    done.push(key);
    return claim;
  };
  const first = await hold("Dir/Caf\u00e9");
  const [second, other] = [hold("dir/cafe\u0301"), await hold("dir/cafe")];
  expect(done).toEqual(["Dir/Caf\u00e9", "dir/cafe"]);
  first.finish("abandoned");
  (await second).finish("abandoned");
  other.finish("abandoned");
});

it("grants a lock in turns, and forgets free names", async () => {
  const { lock } = keyLock();
  const [first, second] = [lock("a"), lock("a")];
  (await first)();
  const unlock = await second;
  let isLocked = false;
  const third = lock("a").then((end) => {
    isLocked = true;
    return end;
  });
  await turn();
  expect(isLocked).toBe(false);
  unlock();
  (await third)();

  collectGarbage();
  const { heapUsed } = process.memoryUsage();
  for (let i = 0; i < 50_000; i++) (await lock(`name ${i}`.padEnd(200)))();
  collectGarbage();
  expect(process.memoryUsage().heapUsed - heapUsed).toBeLessThan(4e6);
});

it("refuses a worker before the owner of the index has started", async () => {
  const { worker } = connection();
  const early = disk({ root: ownRoot(), writer: ipcIndexWriter(worker) });
  await expect(early).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

it("keeps the temp file of an upload in progress during another upload", async () => {
  const root = ownRoot();
  const storage = await openDisk({ root });
  let proceed = (): void => {};
  const paused = new Promise<void>((resolve) => {
    proceed = resolve;
  });
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("first");
    await paused;
    yield Buffer.from("second");
  }
  const upload = storage.put(refOf("a/b"), slow());
  while (leakedTemps(root).length === 0) await turn();
  await storage.put(refOf("other"), chunks("x"));
  expect(leakedTemps(root)).toHaveLength(1);
  proceed();
  expect((await upload).size).toBe(11);
});
