import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../../../../tools/needs.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { removeRoot, tempRoot } from "./temp-root.ts";

/** A system call, with the lines of the trace where it began and returned. */
interface Call {
  readonly text: string;
  readonly began: number;
  readonly ended: number;
}

const TRACED =
  "openat,write,pwrite64,writev,pwritev,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,mkdir,rmdir";

/** Parses `strace -f -y`: calls of several threads overlap, and a waiting call is printed in two halves. */
function readTrace(trace: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, { text: string; began: number }>();
  for (const [index, line] of trace.split("\n").entries()) {
    const match = /^(\d+) +(.*)$/.exec(line);
    const [, thread = "", text = ""] = match ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    if (text.endsWith("<unfinished ...>"))
      unfinished.set(thread, { text: text.replace(/<unfinished \.\.\.>$/, ""), began: index });
    else if (resumed !== null) {
      const begun = unfinished.get(thread);
      if (begun !== undefined) calls.push({ text: begun.text + resumed[1], began: begun.began, ended: index });
    } else calls.push({ text, began: index, ended: index });
  }
  return calls;
}

async function traceUpload(key: string, size: number, ...rest: string[]): Promise<{ calls: Call[]; root: string }> {
  return trace("one-upload.ts", key, size, ...rest);
}

async function trace(
  fixture: string,
  key: string,
  size: number,
  ...rest: string[]
): Promise<{ calls: Call[]; root: string }> {
  const program = await bundledFixture(fixture);
  const root = tempRoot();
  const folder = mkdtempSync(join(tmpdir(), "daypass-trace-"));
  const file = join(folder, "trace");
  const command = ["-f", "-y", "-s", "16", "-e", `trace=${TRACED}`, "-o", file, process.execPath, program, root, key];
  execFileSync("strace", [...command, String(size), ...rest], { stdio: "ignore" });
  const calls = readTrace(readFileSync(file, "utf8"));
  rmSync(folder, { recursive: true });
  removeRoot(root);
  return { calls, root };
}

/** Finds matching calls in order. Each begins after the previous one has returned. */
function expectOrder(calls: readonly Call[], steps: Readonly<Record<string, RegExp>>): void {
  let after = -1;
  for (const [name, pattern] of Object.entries(steps)) {
    const call = calls.find(({ text, began }) => began > after && pattern.test(text));
    expect(call, `no "${name}" (${pattern}) after line ${after} of the trace`).toBeDefined();
    after = call?.ended ?? after;
  }
}

const reason = needs("strace");

// A kill cannot reveal a missing flush, because the kernel keeps what a process has written. So the order is read from the system
// calls.
describe.skipIf(reason)(`the order of flushes${reason ?? ""}`, () => {
  const temp = String.raw`<[^>]*/\.daypass-[0-9a-f]+-[0-9a-f]+\.tmp>`;
  const wal = String.raw`<[^>]*/\.daypass/index\.db-wal>`;

  it.each([
    ["small", 1000],
    ["of several pieces", 2_500_000],
  ])("of a %s upload is open, write, flush, row, rename, flush of the folder, answer", async (_title, size) => {
    const { calls, root } = await traceUpload("a.txt", size);
    expectOrder(calls, {
      "open of the temp file": /^openat\(.*\/bucket\/\.daypass-[^"]*\.tmp", [^)]*O_CREAT\|O_EXCL/,
      "write of the bytes": new RegExp(`^p?writev?(64)?\\(\\d+${temp}`),
      "flush of the bytes": new RegExp(`^f(data)?sync\\(\\d+${temp}\\) += 0`),
      "write of the row": new RegExp(`^pwrite64\\(\\d+${wal}`),
      "flush of the row": new RegExp(`^f(data)?sync\\(\\d+${wal}\\) += 0`),
      "rename to the key": new RegExp(`^rename[^"]*"${root}/bucket/\\.daypass-[^"]*\\.tmp".*"${root}/bucket/a\\.txt"`),
      "flush of the folder": new RegExp(`^fsync\\(\\d+<${root}/bucket>\\) += 0`),
      answer: /^write\(1<[^>]*>, "answered/,
    });
    // No byte is written to the temp file after its flush.
    const flushed = calls.find(({ text }) => new RegExp(`^f(data)?sync\\(\\d+${temp}`).test(text))?.began ?? 0;
    const late = calls.filter(
      ({ text, ended }) => ended > flushed && new RegExp(`^p?writev?(64)?\\(\\d+${temp}`).test(text),
    );
    expect(late).toEqual([]);
  });

  it("flushes a long upload while bytes arrive, and all bytes at the end", async () => {
    const { calls, root } = await traceUpload("a.txt", 100_000_000);
    const writes = calls.filter(({ text }) => new RegExp(`^p?writev?(64)?\\(\\d+${temp}`).test(text));
    const flushes = calls.filter(({ text }) => new RegExp(`^f(data)?sync\\(\\d+${temp} *\\) += 0`).test(text));
    const [first, last] = [flushes.at(0), flushes.at(-1)];
    expect(flushes.length).toBeGreaterThan(1);
    expect(writes.at(-1)?.began).toBeGreaterThan(first?.ended ?? Number.POSITIVE_INFINITY);
    expect(last?.began).toBeGreaterThan(Math.max(...writes.map(({ ended }) => ended)));
    expectOrder(calls.slice(calls.indexOf(last as Call)), {
      "flush of the row": new RegExp(`^f(data)?sync\\(\\d+${wal}\\) += 0`),
      "rename to the key": new RegExp(`^rename[^"]*"${root}/bucket/\\.daypass-[^"]*\\.tmp".*"${root}/bucket/a\\.txt"`),
    });
  });

  it("links a create-only upload instead of renaming it", async () => {
    const { calls, root } = await traceUpload("a.txt", 1000, "create-only");
    expectOrder(calls, {
      "flush of the bytes": new RegExp(`^f(data)?sync\\(\\d+${temp}\\) += 0`),
      "flush of the row": new RegExp(`^f(data)?sync\\(\\d+${wal}\\) += 0`),
      "link to the key": new RegExp(`^link[^"]*"${root}/bucket/\\.daypass-[^"]*\\.tmp".*"${root}/bucket/a\\.txt"`),
      "flush of the folder": new RegExp(`^fsync\\(\\d+<${root}/bucket>\\) += 0`),
      answer: /^write\(1<[^>]*>, "answered/,
    });
  });

  it("flushes the parent of each new folder", async () => {
    const { calls, root } = await traceUpload("one/two/a.txt", 1000);
    expectOrder(calls, {
      "first folder": new RegExp(`^mkdir\\("${root}/bucket/one"`),
      "flush of its name": new RegExp(`^fsync\\(\\d+<${root}/bucket>\\) += 0`),
      "second folder": new RegExp(`^mkdir\\("${root}/bucket/one/two"`),
      "flush of that name": new RegExp(`^fsync\\(\\d+<${root}/bucket/one>\\) += 0`),
      "rename to the key": new RegExp(`^rename.*"${root}/bucket/one/two/a\\.txt"`),
      "flush of the folder": new RegExp(`^fsync\\(\\d+<${root}/bucket/one/two>\\) += 0`),
      answer: /^write\(1<[^>]*>, "answered/,
    });
  });

  it("flushes a bucket, its rules and its removal before each answer", async () => {
    const { calls, root } = await trace("one-bucket.ts", "made-here", 0);
    const answer = (word: string) => new RegExp(`^write\\(1<[^>]*>, "${word}`);
    expectOrder(calls, {
      folder: new RegExp(`^mkdir\\("${root}/\\.daypass-[^"]*\\.tmp"`),
      "its name": new RegExp(`^rename[^"]*"${root}/\\.daypass-[^"]*\\.tmp".*"${root}/made-here"`),
      "flush of its name": new RegExp(`^fsync\\(\\d+<${root}>\\) += 0`),
      "answer that it is made": answer("made"),
      "write of the rules": new RegExp(`^pwrite64\\(\\d+${wal}`),
      "flush of the rules": new RegExp(`^f(data)?sync\\(\\d+${wal}\\) += 0`),
      "answer that it has rules": answer("ruled"),
      "end of the folder": new RegExp(`^rmdir\\("${root}/made-here"`),
      "flush of the root": new RegExp(`^fsync\\(\\d+<${root}>\\) += 0`),
      "flush of what it had": new RegExp(`^f(data)?sync\\(\\d+${wal}\\) += 0`),
      "answer that it is removed": answer("removed"),
    });
  });

  it("flushes each part before its row, and the object before its rename", async () => {
    const { calls, root } = await trace("one-multipart.ts", "a.bin", 300_000);
    const data = String.raw`<${root}/\.daypass/uploads/[0-9a-f]+/data>`;
    const uploads = `${root}/\\.daypass/uploads`;
    const row = {
      "write of the row": new RegExp(`^pwrite64\\(\\d+${wal}`),
      "flush of the row": new RegExp(`^f(data)?sync\\(\\d+${wal}\\) += 0`),
    };
    expectOrder(calls, {
      folder: new RegExp(`^mkdir\\("${uploads}/[0-9a-f]+"`),
      "flush of its name": new RegExp(`^fsync\\(\\d+<${uploads}>\\) += 0`),
      ...row,
      begun: /^write\(1<[^>]*>, "begun/,
    });
    for (const number of [1, 2]) {
      const began = calls.findIndex(({ text }) => text.includes(number === 1 ? '"begun' : '"part 1'));
      expectOrder(calls.slice(began), {
        "write of the bytes": new RegExp(`^pwrite64\\(\\d+${data}`),
        "flush of the bytes": new RegExp(`^f(data)?sync\\(\\d+${data}\\) += 0`),
        "flush of the folder": new RegExp(`^fsync\\(\\d+<${uploads}/[0-9a-f]+>\\) += 0`),
        ...row,
        answer: new RegExp(`^write\\(1<[^>]*>, "part ${number}`),
      });
    }
    const last = calls.findIndex(({ text }) => text.includes('"part 2'));
    expectOrder(calls.slice(last), {
      "flush of the bytes": new RegExp(`^f(data)?sync\\(\\d+${data}\\) += 0`),
      ...row,
      "rename to the key": new RegExp(`^rename[^"]*"${uploads}/[0-9a-f]+/data".*"${root}/bucket/a\\.bin"`),
      "flush of the folder": new RegExp(`^fsync\\(\\d+<${root}/bucket>\\) += 0`),
      "write of the end": new RegExp(`^pwrite64\\(\\d+${wal}`),
      "flush of the end": new RegExp(`^f(data)?sync\\(\\d+${wal}\\) += 0`),
      answer: /^write\(1<[^>]*>, "answered/,
    });
  });
});
