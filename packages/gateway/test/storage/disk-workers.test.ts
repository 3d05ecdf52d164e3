import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Storage } from "../../src/storage/contract/storage.ts";
import type { IndexRow } from "../../src/storage/disk/database/contract.ts";
import { openIndexDatabase } from "../../src/storage/disk/database/index-database.ts";
import { localIndexWriter } from "../../src/storage/disk/database/index-writer.ts";
import { disk, ipcIndexWriter, serveIndexWriter } from "../../src/storage/disk/index.ts";
import { openLayout } from "../../src/storage/disk/layout.ts";
import { reservedSpace } from "../../src/storage/disk/reserved-space.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { connection } from "./connection.ts";
import { chunks, leakedTemps, openDisk, openIndex, ownRoot } from "./temp-root.ts";

interface Report {
  readonly results: readonly string[];
  readonly seen: readonly string[];
}

function channelTo(child: ChildProcess) {
  return {
    send: (message: unknown) => void child.send(message as object),
    onMessage: (listener: (message: unknown) => void) => void child.on("message", listener),
    onClose: (listener: () => void) => void child.on("disconnect", listener),
  };
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

function rowOf(key: string, fingerprint: string): IndexRow {
  const ref = { bucket: "bucket", key };
  return { ref, fingerprint, etag: "e", contentType: "t", headers: {}, metadata: {}, checksums: {} };
}

describe("workers that share one index writer", () => {
  it("list what each other and strangers have put there, and change buckets through the owner", async () => {
    const root = ownRoot();
    const index = await openIndex(root);
    const [left, right] = await Promise.all(
      ["left", "right"].map(() => {
        const wire = connection();
        serveIndexWriter(wire.primary, index.writer);
        return openDisk({ root, writer: ipcIndexWriter(wire.worker) });
      }),
    );
    if (left === undefined || right === undefined) throw new Error("two were opened");
    const keys = async (storage: Storage): Promise<string[]> =>
      (await storage.list("made-here", { prefix: "", limit: 100 })).entries.map((entry) =>
        entry.kind === "object" ? entry.key : entry.prefix,
      );
    await left.createBucket("made-here");
    await expect(right.createBucket("made-here")).rejects.toMatchObject({ code: "BUCKET_EXISTS" });
    await left.put({ bucket: "made-here", key: "a" }, chunks("x"));
    await right.put({ bucket: "made-here", key: "b//c" }, chunks("x"));
    mkdirSync(join(root, "made-here/folder"));
    writeFileSync(join(root, "made-here/folder/d"), "x");
    expect([await keys(left), await keys(right)]).toEqual(Array(2).fill(["a", "b//c", "folder/d"]));
    await left.delete({ bucket: "made-here", key: "b//c" });
    rmSync(join(root, "made-here/folder"), { recursive: true });
    expect([await keys(right), await keys(left)]).toEqual([["a"], ["a"]]);
    const rule = { origins: ["*"], methods: ["GET"], headers: [], exposeHeaders: [] };
    await left.setCorsRules("made-here", [rule]);
    expect(await right.corsRules("made-here")).toEqual([rule]);
    await right.setCorsRules("made-here", []);
    expect(await left.corsRules("made-here")).toEqual([]);
    await expect(right.deleteBucket("made-here")).rejects.toMatchObject({ code: "BUCKET_NOT_EMPTY" });
    await left.delete({ bucket: "made-here", key: "a" });
    await right.deleteBucket("made-here");
    expect(await left.hasBucket("made-here")).toBe(false);
  });

  it("let exactly one of two processes create each object, and read each other's metadata", async () => {
    const root = ownRoot();
    const index = await openIndex(root);
    const program = await bundledFixture("index-worker.ts");
    const children = ["left", "right"].map((name) => fork(program, [root, name]));
    for (const child of children) serveIndexWriter(channelTo(child), index.writer);
    const [left, right] = await Promise.all(children.map(reportOf));
    for (let key = 0; key < 50; key++) {
      const outcome = [left?.results[key], right?.results[key]].sort();
      expect(outcome).toEqual(["PRECONDITION_FAILED", "stored"]);
      const winner = left?.results[key] === "stored" ? "left" : "right";
      expect([left?.seen[key], right?.seen[key]]).toEqual([winner, winner]);
    }
    expect(leakedTemps(root)).toEqual([]);
  });

  it("hold a claim until it is finished, and lose it when their process dies", async () => {
    const root = ownRoot();
    const index = await openIndex(root);
    const { primary, worker, close } = connection();
    serveIndexWriter(primary, index.writer);
    const remote = ipcIndexWriter(worker);
    const ref = { bucket: "bucket", key: "a" };

    const order: string[] = [];
    const first = await remote.claim(ref, { kind: "put", row: rowOf("a", "1") });
    const second = remote.claim(ref, { kind: "put", row: rowOf("a", "2") }).then((claim) => {
      order.push("second");
      return claim;
    });
    await remote.claim({ ...ref, key: "b" }, { kind: "put", row: rowOf("b", "3") });
    order.push("another key");
    first.finish("stored");
    await second;
    expect(order).toEqual(["another key", "second"]);

    close();
    const local = await index.writer.claim(ref, { kind: "put", row: rowOf("a", "4") });
    local.finish("abandoned");
    await expect(remote.claim(ref, { kind: "delete" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("give back what they hold when they die, once each, and what they are given too late", async () => {
    const root = ownRoot();
    const index = await openIndex(root);
    const { primary, worker, close } = connection();
    serveIndexWriter(primary, index.writer);
    const remote = ipcIndexWriter(worker);
    const [held, awaited] = ["held", "awaited"].map((key) => ({ bucket: "bucket", key }));
    if (held === undefined || awaited === undefined) throw new Error("two were named");

    await remote.claim(held, { kind: "put", row: rowOf("held", "1") });
    (await remote.claim({ ...held, key: "done" }, { kind: "put", row: rowOf("done", "2") })).finish("abandoned");
    const before = await index.writer.claim(awaited, { kind: "delete" });
    const late = remote.claim(awaited, { kind: "delete" });
    await remote.indexPath();
    close();
    await expect(late).rejects.toMatchObject({ code: "UNAVAILABLE" });
    before.finish("deleted");
    (await index.writer.claim(awaited, { kind: "delete" })).finish("deleted");

    // Its file may have taken the name by then: the next start looks.
    expect(index.reader.find(held, "1")?.etag).toBe("e");
    expect(index.reader.find({ ...held, key: "done" }, "2")).toBeUndefined();
    // No claim is left, and none was given back twice.
    await index.writer.removeBucket("bucket");
  });

  it("commit what arrives together in one transaction", async () => {
    const root = ownRoot();
    const database = await openIndexDatabase(join(root, "index.db"), "0");
    let transactions = 0;
    const transaction = (steps: Iterable<() => void>) => {
      transactions++;
      database.transaction(steps);
    };
    const space = reservedSpace(openLayout(root, { owner: true }), database);
    // Else it is made behind a commit, and may be while the folder is removed.
    await space.keep();
    const writer = localIndexWriter({ database: { ...database, transaction }, space });
    const refs = Array.from({ length: 500 }, (_, key) => ({ bucket: "bucket", key: `${key}` }));
    const claims = await Promise.all(refs.map((ref) => writer.claim(ref, { kind: "put", row: rowOf(ref.key, "1") })));
    expect(transactions).toBe(1);
    expect(database.find({ bucket: "bucket", key: "499" }, "1")?.etag).toBe("e");
    for (const claim of claims) claim.finish("stored");
    writer.close();
    expect(transactions).toBe(2);
    expect(database.unsettled()).toEqual([]);
    database.close();
  });

  it("take turns at keys that have one file where the disk folds names", async () => {
    const root = ownRoot();
    const index = await openIndex(root);
    const done: string[] = [];
    const hold = async (key: string) => {
      const ref = { bucket: "bucket", key };
      const claim = await index.writer.claim(ref, { kind: "put", row: { ...rowOf(key, "1"), ref } });
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

  it("are told of a commit that failed, and have the key free again", async () => {
    const root = ownRoot();
    const database = await openIndexDatabase(join(root, "index.db"), "0");
    let isBroken = true;
    const transaction = (steps: Iterable<() => void>) => {
      if (isBroken) throw Object.assign(new Error("disk I/O error"), { code: "ERR_SQLITE_ERROR", errcode: 10 });
      database.transaction(steps);
    };
    const space = reservedSpace(openLayout(root, { owner: true }), database);
    await space.keep();
    const writer = localIndexWriter({ database: { ...database, transaction }, space });
    const claim = () => writer.claim({ bucket: "bucket", key: "a" }, { kind: "put", row: rowOf("a", "1") });
    const [first, second] = [claim(), claim()];
    for (const claimed of [first, second]) await expect(claimed).rejects.toMatchObject({ code: "UNAVAILABLE" });
    isBroken = false;
    (await claim()).finish("stored");
    writer.close();
    database.close();
  });

  it("start only after the process that owns the index", async () => {
    const root = ownRoot();
    const { worker } = connection();
    await expect(disk({ root, writer: ipcIndexWriter(worker) })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("leave the temp file of an upload under way alone", async () => {
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
    const upload = storage.put({ bucket: "bucket", key: join("a", "b") }, slow());
    while (leakedTemps(root).length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(leakedTemps(root)).toHaveLength(1);
    await storage.put({ bucket: "bucket", key: "other" }, chunks("x"));
    expect(leakedTemps(root)).toHaveLength(1);
    proceed();
    expect((await upload).size).toBe(11);
  });
});
