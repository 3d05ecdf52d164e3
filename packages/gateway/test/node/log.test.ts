import { execFileSync } from "node:child_process";
import fs, { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { AccessEvent } from "../../src/index.ts";
import { openLog } from "../../src/node/index.ts";
import { requestLine } from "../../src/node/log.ts";
import { logFile } from "../../src/node/log-file.ts";
import { until } from "../e2e/clients.ts";

const event: AccessEvent = {
  requestId: "0123456789ABCDEF",
  time: 1_700_000_000_000,
  duration: 3,
  method: "GET",
  host: "files.example.com",
  url: "/b/k?X-Amz-Expires=60",
  path: "/b/k",
  bucket: "b",
  key: "k",
  remoteAddress: "203.0.113.7",
  status: 200,
  bytes: 5,
  complete: true,
  scheme: "s3",
  keyId: "AKIDEXAMPLE",
  parentKeyId: undefined,
  grantId: "pPgjvnZJ2Sg1KVLjp1K6MQ",
  code: undefined,
  reason: undefined,
  error: undefined,
  deletions: undefined,
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "daypass-log-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("requestLine", () => {
  it("returns JSON in pino's format", () => {
    expect(JSON.parse(requestLine(event))).toMatchObject({
      level: 30,
      time: event.time,
      msg: "request",
      requestId: event.requestId,
      status: 200,
      grantId: event.grantId,
    });
  });

  it("escapes client-chosen text", () => {
    const nasty = 'x"}\n{"level":60\u2028\u00ff\\';
    const texts = { url: nasty, host: nasty, method: nasty, keyId: nasty, parentKeyId: nasty, remoteAddress: nasty };
    const line = requestLine({ ...event, ...texts });
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(JSON.parse(line)).toMatchObject(texts);
  });

  it.each(['"', "\\", "\n", "\t", "\u0000", "\u001f", "\u007f", "\u2028", "ü", "\ud800"])(
    "escapes a text with %j",
    (letter) => {
      const text = `a${letter}b`;
      const texts = { url: text, host: text, method: text, keyId: text, parentKeyId: text, remoteAddress: text };
      expect(JSON.parse(requestLine({ ...event, ...texts }))).toMatchObject(texts);
    },
  );

  it("has level 50 for a 5xx except 501", () => {
    const level = (status: number): number => JSON.parse(requestLine({ ...event, status, code: "INTERNAL" })).level;
    expect([404, 501, 500, 503, 507].map(level)).toEqual([30, 30, 50, 50, 50]);
  });

  it("contains the stack of an unexpected error, with level 50", () => {
    const line = JSON.parse(requestLine({ ...event, status: 500, code: "INTERNAL", error: new Error("boom") }));
    expect(line).toMatchObject({ level: 50, code: "INTERNAL", err: { type: "Error", message: "boom" } });
    // Such as a read error during a download.
    const begun = JSON.parse(requestLine({ ...event, complete: false, error: new Error("boom") }));
    expect(begun).toMatchObject({ level: 50, status: 200, complete: false, err: { message: "boom" } });
    expect(line.err.stack).toContain("log.test.ts");
  });
});

describe("openLog", () => {
  it("writes a line for each deleted object, with any key", async () => {
    const path = join(folder, "deletions.log");
    const log = openLog({ destination: path });
    const nasty = 'x"}\n{"level":60\u2028\ud800';
    log.accessLog({
      ...event,
      deletions: [
        { bucket: "media", key: nasty, code: undefined },
        { bucket: "media", key: "b", code: "PRECONDITION_FAILED" },
      ],
    });
    await log.close();
    const [request, ...deletions] = readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const { requestId, keyId, time } = event;
    expect(request).toMatchObject({ msg: "request", requestId });
    expect(deletions).toEqual([
      expect.objectContaining({ level: 30, time, msg: "deletion", requestId, keyId, bucket: "media", key: nasty }),
      expect.objectContaining({ msg: "deletion", requestId, key: "b", code: "PRECONDITION_FAILED" }),
    ]);
  });

  it("contains every line in order once it is closed", async () => {
    const path = join(folder, "many.log");
    const log = openLog({ destination: path });
    for (let i = 0; i < 5000; i++) log.accessLog({ ...event, bytes: i });
    log.logger.info({ done: true }, "ü");
    await log.close();
    const lines = readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(5001);
    expect(lines.slice(0, 5000).every(({ bytes }, i) => bytes === i)).toBe(true);
    expect(lines[5000]).toMatchObject({ done: true, msg: "ü" });
  });

  // A write to a shell's pipe blocks; a write to a Node pipe fails with EAGAIN.
  it.each([
    ["a blocking pipe", 0],
    ["a non-blocking pipe", constants.O_NONBLOCK],
  ])("closes although no reader reads %s", async (name, flags) => {
    const path = join(folder, name);
    execFileSync("mkfifo", [path]);
    const fd = openSync(path, constants.O_RDWR | flags);
    const file = logFile(fd, 20);
    const line = `${"x".repeat(999)}\n`;
    for (let i = 0; i < 200; i++) file.write(line);
    await file.close();
    // Ends the blocked write.
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const room = Buffer.alloc(256 * 1024);
    // A busy machine may start the write only now.
    for (let read = 0; read < 64 * 1024; ) {
      try {
        read += readSync(reader, room);
      } catch (error) {
        expect(error).toMatchObject({ code: "EAGAIN" });
        await new Promise((done) => setTimeout(done, 1));
      }
    }
    closeSync(reader);
    await new Promise((done) => setImmediate(done));
    closeSync(fd);
  });

  it("writes nothing after it gave up, because its descriptor may belong to another file", async () => {
    const path = join(folder, "given up");
    execFileSync("mkfifo", [path]);
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    let isRefused = false;
    const { write } = fs;
    const watched = (...parameters: unknown[]): void => {
      const done = parameters.pop() as (error: NodeJS.ErrnoException | null, written: number) => void;
      const tell: typeof done = (error, written) => {
        isRefused ||= error?.code === "EAGAIN";
        done(error, written);
      };
      Reflect.apply(write, fs, [...parameters, tell]);
    };
    Object.assign(fs, { write: watched });
    syncBuiltinESMExports();
    onTestFinished(() => {
      Object.assign(fs, { write });
      syncBuiltinESMExports();
    });
    const file = logFile(fd, 20);
    for (let i = 0; i < 200; i++) file.write(`${"x".repeat(999)}\n`);
    // Otherwise the first write could still start.
    await until(() => isRefused);
    await file.close();
    closeSync(fd);
    const other = join(folder, "other");
    const opened = [openSync(other, "w")];
    while (!opened.includes(fd)) opened.push(openSync(other, "w"));
    await new Promise((done) => setTimeout(done, 100));
    for (const next of opened) closeSync(next);
    expect(readFileSync(other, "utf8")).toBe("");
  });

  it("appends to a file that other users cannot read", async () => {
    const path = join(folder, "kept.log");
    for (const line of ["before\n", "after\n"]) {
      const file = logFile(path);
      file.write(line);
      await file.close();
    }
    expect(readFileSync(path, "utf8")).toBe("before\nafter\n");
    expect(statSync(path).mode & 0o037).toBe(0);
  });

  it("drops lines above its memory limit and reports how many", async () => {
    const path = join(folder, "fast.log");
    const file = logFile(path);
    const line = `${"x".repeat(2 ** 20 - 1)}\n`;
    // The first is written at once; 64 MiB and one more line are buffered.
    for (let i = 0; i < 70; i++) file.write(line);
    // `close` would not wait long enough for a busy disk.
    await until(() => statSync(path).size > 66 * line.length);
    await file.close();
    const fd = openSync(path, "r");
    const end = Buffer.alloc(1000);
    const length = readSync(fd, end, 0, end.length, 66 * line.length);
    closeSync(fd);
    rmSync(path);
    expect(JSON.parse(end.toString("latin1", 0, length))).toMatchObject({ level: 50, lost: 4 });
  });

  it("reports every lost line, also when an earlier report was lost", async () => {
    const path = join(folder, "left");
    execFileSync("mkfifo", [path]);
    const listen = (): number => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const gone = listen();
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    closeSync(gone);
    const file = logFile(fd);
    for (let i = 0; i < 3; i++) {
      // Written at once.
      file.write(`${"x".repeat(64 * 1024)}\n`);
      await new Promise((done) => setTimeout(done, 10));
    }
    const reader = listen();
    const text: Buffer[] = [];
    const room = Buffer.alloc(256 * 1024);
    const take = (): void => {
      try {
        text.push(Buffer.from(room.subarray(0, readSync(reader, room))));
      } catch (error) {
        expect(error).toMatchObject({ code: "EAGAIN" });
      }
    };
    const reading = setInterval(take, 1);
    file.write("last\n");
    await file.close();
    clearInterval(reading);
    take();
    for (const opened of [reader, fd]) closeSync(opened);
    const lines = Buffer.concat(text).toString("latin1").trimEnd().split("\n");
    const told: readonly { lost: number }[] = lines
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
    const came = lines.length - told.length;
    expect(told.every((line) => "error" in line)).toBe(true);
    expect(told.reduce((sum, { lost }) => sum + lost, came)).toBe(4);
  });

  it.each([
    ["a blocking pipe", 0, 4000],
    ["a non-blocking pipe", constants.O_NONBLOCK, 1000],
  ])("closes once a slow reader of %s has read everything", async (how, flags, count) => {
    const path = join(folder, `slow ${how}`);
    execFileSync("mkfifo", [path]);
    const fd = openSync(path, constants.O_RDWR | flags);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // This reader needs nearly a second.
    const room = Buffer.alloc(32 * 1024);
    let read = 0;
    const take = (): void => {
      try {
        read += readSync(reader, room);
      } catch (error) {
        expect(error).toMatchObject({ code: "EAGAIN" });
      }
    };
    const reading = setInterval(take, 10);
    const file = logFile(fd, 600);
    const line = `${"x".repeat(999)}\n`;
    // With a blocking pipe, longer than the patience for one write.
    for (let i = 0; i < count; i++) file.write(line);
    await file.close();
    clearInterval(reading);
    for (let turn = 0; turn < 3; turn++) take();
    expect(read).toBe(count * line.length);
    for (const opened of [reader, fd]) closeSync(opened);
  });
});
