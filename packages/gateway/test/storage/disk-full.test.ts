import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { IN_NAMESPACE, needsMounts } from "../../../../tools/mounts.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { removeRoot, tempRoot } from "./temp-root.ts";

const reason = needsMounts();

describe.skipIf(reason)(`a full disk${reason ?? ""}`, () => {
  it("refuses uploads with DISK_FULL, keeps what is stored, leaves nothing behind, and recovers", async () => {
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

  it("refuses every other way to write as well, over HTTP, and what failed can be done again", async () => {
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
    ["with the room that is kept for that", "kept"],
    ["also when somebody has taken that room", "taken"],
  ])("lets everything be removed that makes room, %s, and what is removed stays so", async (_, reserve) => {
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

  it("starts without any room, serves what is there, and refuses every write but what takes something away", async () => {
    const program = await bundledFixture("full-start.ts");
    const [served, fresh, temporary] = [tempRoot(), tempRoot(), tempRoot()];
    const script =
      'mount -t tmpfs -o size=16m tmpfs "$1"; mount -t tmpfs -o size=16m tmpfs "$2"; mkdir "$1/bucket"; exec "$4" "$5" "$1" "$2"';
    const run = [...IN_NAMESPACE, script, "sh", served, fresh, temporary, process.execPath, program];
    const output = execFileSync("unshare", run, { env: { ...process.env, TMPDIR: temporary } });
    const got = { status: 200, text: "old", type: "text/x-kept", meta: "1" };
    expect(JSON.parse(output.toString())).toEqual({
      free: 0,
      reads: { got, listed: ["foreign.txt", "gone.bin", "kept.bin"], saidFull: 1, copies: 1 },
      refused: { put: 507, other: 507, copy: 507, create: 507, part: 507, tags: 507 },
      removed: { delete: 204, abort: 204, gone: 404, listed: ["foreign.txt", "kept.bin"], uploads: 1 },
      kept: "old",
      copiesLeft: 0,
      recovered: { saidFull: 0, gone: 404, uploads: 1, got, put: 200, part: 200 },
      swept: { saidFull: 0, put: 200, copies: 0 },
      unknown: { saidFull: 1, got: "foreign", listed: ["a.txt"], put: 507 },
    });
    for (const root of [served, fresh, temporary]) removeRoot(root);
  });
});
