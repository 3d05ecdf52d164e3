import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { IN_NAMESPACE, needsMounts } from "../../../../tools/mounts.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { ownRoot, removeRoot, tempRoot } from "./temp-root.ts";

const reason = needsMounts();

describe.skipIf(reason)(`a full disk${reason ?? ""}`, () => {
  it("rejects uploads with DISK_FULL, keeps stored objects, leaves no temp file, and recovers", async () => {
    const program = await bundledFixture("full-disk.ts");
    const root = tempRoot();
    const script = 'mount -t tmpfs -o size=4m tmpfs "$1"; mkdir "$1/bucket"; exec "$2" "$3" "$1"';
    const output = execFileSync("unshare", [...IN_NAMESPACE, script, "sh", root, process.execPath, program]);
    expect(JSON.parse(output.toString())).toEqual({
      large: "DISK_FULL",
      leakedByLarge: [],
      small: "stored",
      full: "DISK_FULL",
      leakedByFull: [],
      kept: 3,
      again: "stored",
      replaced: 7,
    });
    removeRoot(root);
  });

  it("rejects every kind of write over HTTP, and accepts it again when there is space", async () => {
    const program = await bundledFixture("full-gateway.ts");
    const root = tempRoot();
    const script = 'mount -t tmpfs -o size=16m tmpfs "$1"; mkdir "$1/bucket"; exec "$2" "$3" "$1"';
    const output = execFileSync("unshare", [...IN_NAMESPACE, script, "sh", root, process.execPath, program]);
    expect(JSON.parse(output.toString())).toEqual({
      full: { put: 507, part: 507, replacedPart: 507, form: 507, copy: 507, partCopy: 507, complete: 507 },
      refusals: Array.from({ length: 7 }, () => "DISK_FULL ENOSPC"),
      kept: "old",
      listed: ["2", "3"],
      leaked: [],
      gaveBack: true,
      afterRestart: { kept: "old", leaked: [] },
      recovered: { complete: 200, isWhole: true, form: 204, copy: 200 },
    });
    removeRoot(root);
  });

  it.each([
    ["with the reserved space", "kept"],
    ["without the reserved space", "taken"],
  ])("removes objects, uploads and buckets durably, %s", async (_, reserve) => {
    const program = await bundledFixture("full-removals.ts");
    const root = tempRoot();
    const script = 'mount -t tmpfs -o size=12m tmpfs "$1"; mkdir "$1/bucket" "$1/empty"; exec "$2" "$3" "$1" "$4"';
    const run = [...IN_NAMESPACE, script, "sh", root, process.execPath, program, reserve];
    const output = execFileSync("unshare", run);
    expect(JSON.parse(output.toString())).toEqual({
      free: 0,
      put: 507,
      single: { status: 204, get: 404 },
      many: { status: 200, deleted: 19, errors: 0 },
      abort: 204,
      afterKill: {
        listed: ["large-0", "large-1", "large-2", "large-3", "tagged"],
        uploads: 0,
        removed: [404],
        folders: [],
      },
      bucket: { status: 204, head: 404 },
      large: [204, 204, 204, 204],
      gaveBack: true,
      end: { again: 200, listed: ["again", "tagged"], uploads: 0, free: true },
      untag: reserve === "kept" ? { status: 204, tags: 0 } : { status: 507, tags: 1 },
    });
    removeRoot(root);
  });

  it("gives up the reserved space for a start, and refuses to start without it", async () => {
    const program = await bundledFixture("full-start.ts");
    const [served, fresh] = [tempRoot(), tempRoot()];
    const script =
      'mount -t tmpfs -o size=16m tmpfs "$1"; mount -t tmpfs -o size=16m tmpfs "$2"; mkdir "$1/bucket"; exec "$3" "$4" "$1" "$2"';
    const run = [...IN_NAMESPACE, script, "sh", served, fresh, process.execPath, program];
    expect(JSON.parse(execFileSync("unshare", run).toString())).toEqual({
      full: { listed: ["gone", "kept"], kept: { a: "1" }, put: "DISK_FULL", delete: "done", abort: "done" },
      again: "DISK_FULL",
      recovered: { listed: ["kept"], put: "done" },
      swept: "done",
      unknown: "DISK_FULL",
    });
    for (const root of [served, fresh]) removeRoot(root);
  });
});

it.skipIf(reason)("stores a multipart upload in a bucket that is a bind mount of the root's disk", async () => {
  const program = await bundledFixture("bound-bucket.ts");
  const folder = ownRoot();
  mkdirSync(join(folder, "root/mounted"), { recursive: true });
  mkdirSync(join(folder, "folder"));
  const script = 'mount --bind "$1/folder" "$1/root/mounted"; exec "$2" "$3" "$1/root"';
  const run = [...IN_NAMESPACE, script, "sh", folder, process.execPath, program];
  expect(JSON.parse(execFileSync("unshare", run).toString())).toEqual([6, 6]);
});
