import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needsDiskImages } from "../../../../tools/mounts.ts";
import { needs } from "../../../../tools/needs.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { removeRoot, tempRoot } from "./temp-root.ts";

const reason = needs("mkntfs", "lowntfs-3g", "ntfs-3g", "unshare") ?? needsDiskImages();
const SCRIPT = `
truncate -s 8M "$1/image"
mkntfs -q -Q -F -s 512 "$1/image" > "$1/log" 2>&1
$5 "$1/image" "$1/disk" >> "$1/log" 2>&1
trap 'umount "$1/disk"' EXIT
mkdir -p "$1/disk/bucket"
[ "$2" = "$1/disk" ] || mount --bind "$1/disk/bucket" "$2/bucket"
"$3" "$4" "$2" bucket
`;

interface Said {
  readonly stored: Readonly<Record<string, string>>;
  readonly foreign: string | null;
  readonly texts: Readonly<Record<string, string | null>>;
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly removed: boolean;
  readonly kept: readonly (string | null)[];
  readonly buckets: readonly (string | null)[];
}

// As on Windows, this NTFS finds a file by any case. The driver also changes names of new files to lower case.
const FOLDING = "lowntfs-3g -o ignore_case,windows_names";

async function said<T = Said>(root: "disk" | "root", mount = FOLDING, fixture = "folded-names.ts"): Promise<T> {
  const program = await bundledFixture(fixture);
  const folder = tempRoot();
  for (const name of ["disk", "root/bucket"]) mkdirSync(join(folder, name), { recursive: true });
  const run = ["--mount", "sh", "-euc", SCRIPT, "sh", folder, join(folder, root), process.execPath, program, mount];
  const answer = JSON.parse(execFileSync("unshare", run).toString()) as T;
  removeRoot(folder);
  return answer;
}

describe.skipIf(reason)(`a file system that folds case${reason ?? ""}`, () => {
  it("keeps keys, folders and buckets apart that differ only in case", async () => {
    const { stored, foreign, texts, lists, removed, kept, buckets } = await said("disk");
    expect(new Set(Object.values(stored))).toEqual(new Set(["stored"]));
    expect(foreign).toBeNull();
    const own = Object.keys(stored).map((key) => [key, `of ${key}`]);
    expect(texts).toEqual({ ...Object.fromEntries(own), "dir/b": null, "SECRET.TXT": null });
    expect(lists).toEqual({ "dir/": ["dir/a 8"], "Dir/": ["Dir/a 8", "Dir/b 8"] });
    expect(removed).toBe(true);
    expect(kept).toEqual(["of secret.txt", null]);
    expect(buckets).toEqual(["NO_SUCH_BUCKET", "BUCKET_NAME_TAKEN"]);
  });

  it("keeps keys apart if only a bucket is such a disk, and rejects names that it cannot hold", async () => {
    const { stored, foreign, texts, lists, kept } = await said("root");
    expect(foreign).toBeNull();
    for (const [key, outcome] of Object.entries(stored)) {
      expect([key, outcome, texts[key]]).toEqual([key, outcome, outcome === "stored" ? `of ${key}` : null]);
    }
    expect(stored).toMatchObject({
      "secret.txt": "stored",
      "Secret.txt": "stored",
      "dir/a": "stored",
      "Dir/a": "stored",
    });
    expect(stored["a:b"]).toBe("KEY_NOT_STORABLE");
    expect([texts["dir/b"], texts["SECRET.TXT"]]).toEqual([null, null]);
    expect(lists["dir/"]).toEqual(["dir/a 8"]);
    expect(kept).toEqual(["of secret.txt", null]);
  });
});

interface SaidOfStreams {
  readonly first: readonly (string | null)[];
  readonly stored: Readonly<Record<string, string>>;
  readonly texts: Readonly<Record<string, string | null>>;
  readonly listed: readonly string[];
  readonly kept: string | null;
}

describe.skipIf(reason)(`a file system with streams behind a colon${reason ?? ""}`, () => {
  const mount = "ntfs-3g -o streams_interface=windows";
  it.each(["disk", "root"] as const)("keeps a key apart from the stream of another key (%s)", async (root) => {
    const { first, stored, texts, listed, kept } = await said<SaidOfStreams>(root, mount, "stream-names.ts");
    expect(first).toEqual(["stored", null]);
    expect(new Set(Object.values(stored))).toEqual(new Set(["stored"]));
    expect(texts).toEqual(Object.fromEntries(Object.keys(stored).map((key) => [key, `of ${key}`])));
    expect(listed).toEqual(["secret.txt", "secret.txt:"]);
    expect(kept).toBe("of secret.txt");
  });
});

describe.skipIf(reason)(`a disk without a letter${reason ?? ""}`, () => {
  it("rejects a key with a letter that the disk cannot store", async () => {
    const { stored, texts } = await said<SaidOfStreams>("root", "ntfs-3g -o locale=C", "stream-names.ts");
    expect(stored).toMatchObject({ "secret.txt": "stored", "\u{1fadf}": "KEY_NOT_STORABLE" });
    expect(texts["\u{1fadf}"]).toBeNull();
  });
});
