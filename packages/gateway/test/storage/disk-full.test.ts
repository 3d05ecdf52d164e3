import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { bundledFixture } from "./bundled-fixture.ts";
import { removeRoot, tempRoot } from "./temp-root.ts";

/** A mount namespace of its own: the small file system is gone with the process, and no root is needed. */
const IN_NAMESPACE = ["--user", "--map-root-user", "--mount", "sh", "-euc"];

function cannotMount(): string | undefined {
  try {
    execFileSync("unshare", [...IN_NAMESPACE, "mount -t tmpfs tmpfs /mnt"], { stdio: "ignore" });
    return undefined;
  } catch {
    return " (this system lets no test mount a file system)";
  }
}

const reason = cannotMount();

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
      refusals: Array.from({ length: 7 }, () => "DISK_FULL"),
      kept: "old",
      listed: ["2", "3"],
      leaked: [],
      gaveBack: true,
      afterRestart: { kept: "old", leaked: [] },
      recovered: { complete: 200, isWhole: true, form: 204, copy: 200 },
    });
    removeRoot(root);
  });
});
