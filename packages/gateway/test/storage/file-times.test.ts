import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { disk } from "../../src/storage/disk/index.ts";
import { modifiedAt } from "../../src/storage/disk/objects/open-file.ts";
import { removeRoot } from "./temp-root.ts";

const LAST = "9999-12-31T23:59:59.999Z";
const FIRST = "0001-01-01T00:00:00.000Z";

describe("the time of a file", () => {
  it("is cut to those that a date of four digits can tell, and otherwise told to the millisecond", () => {
    const told = [
      0n,
      -1_500_000n,
      1_999_999n,
      253_402_300_799_999_999_999n,
      253_402_300_800_000_000_000n,
      2n ** 63n * 10n ** 9n,
    ];
    expect([...told, -(2n ** 63n) * 10n ** 9n].map((time) => modifiedAt(time).toISOString())).toEqual([
      "1970-01-01T00:00:00.000Z",
      "1969-12-31T23:59:59.999Z",
      "1970-01-01T00:00:00.001Z",
      LAST,
      LAST,
      LAST,
      FIRST,
    ]);
    expect(modifiedAt(-62_135_596_800_000_000_000n).toISOString()).toBe(FIRST);
  });

  // The disk of the machine may cut times itself.
  const folder = "/dev/shm";
  const reason = existsSync(folder) ? "" : " (skipped: no /dev/shm)";
  it.skipIf(reason !== "")(`keeps no listing from being written${reason}`, async () => {
    const root = mkdtempSync(join(folder, "daypass-times-"));
    mkdirSync(join(root, "bucket"));
    const path = join(root, "bucket/a");
    writeFileSync(path, "x");
    execFileSync("touch", ["-d", "@9000000000000", path]);
    // Without this the disk had cut it, and nothing is tried.
    expect(statSync(path, { bigint: true }).mtimeNs / 1_000_000_000n).toBe(9_000_000_000_000n);
    const storage = await disk({ root });
    const { entries } = await storage.list("bucket", { prefix: "", limit: 10 });
    const head = await storage.head({ bucket: "bucket", key: "a" });
    const times = [
      ...entries.map((entry) => (entry.kind === "object" ? entry.lastModified : undefined)),
      head?.lastModified,
    ];
    expect(times.map((time) => time?.toISOString())).toEqual([LAST, LAST]);
    await storage.close();
    removeRoot(root);
  });
});
