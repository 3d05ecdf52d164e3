import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { IN_NAMESPACE, needsMounts } from "../../../../tools/mounts.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { removeRoot, tempRoot } from "./temp-root.ts";

const reason = needsMounts();
const SCRIPT = `
mount -t tmpfs tmpfs "$1/disk"
mkdir "$1/root/own-disk"
mount --bind "$1/disk" "$1/root/own-disk"
mount -t tmpfs tmpfs "$1/other/only read"
printf old > "$1/other/only read/a.txt"
exec "$2" "$3" "$1/root" "$1/other"
`;

describe.skipIf(reason)(`a bucket on a disk of its own${reason ?? ""}`, () => {
  it("is unavailable while the disk is away, and nothing is acknowledged in its place", async () => {
    const program = await bundledFixture("bucket-away.ts");
    const folder = tempRoot();
    mkdirSync(join(folder, "root/bucket"), { recursive: true });
    mkdirSync(join(folder, "other/only read"), { recursive: true });
    mkdirSync(join(folder, "disk"));
    const run = [...IN_NAMESPACE, SCRIPT, "sh", folder, process.execPath, program];
    const said = JSON.parse(execFileSync("unshare", run).toString());
    const { other, buckets, ...refused } = said.away;
    expect(refused).toEqual(
      Object.fromEntries(
        ["get", "hashed", "put", "delete", "list", "upload", "deleteBucket"].map((name) => [name, "UNAVAILABLE"]),
      ),
    );
    expect([other, buckets]).toEqual([1, ["bucket", "files", "own-disk"]]);
    expect(said.back).toEqual([6, 11]);
    expect([said.removed, said.made]).toEqual(["NO_SUCH_BUCKET", 1]);
    expect(said.onlyRead).toEqual([3, "UNAVAILABLE", "UNAVAILABLE"]);
    removeRoot(folder);
  });
});
