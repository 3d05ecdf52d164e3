/** Starts while the disk of a bucket is not there yet, as after a loss of power: its folder is missing, or is the empty one below the mount point. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../src/storage/disk/database/sqlite.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { chunks, openDisk, openIndex, ownRoot } from "./temp-root.ts";

const ref = { bucket: "bucket", key: "a.txt" };
/** The name of a file that another run was uploading. */
const TEMP = ".daypass-0123456789abcdef-0123456789abcdef.tmp";

/** Opens and closes the root while the folder of the bucket is elsewhere. */
async function startWithout(root: string, left: "nothing" | "an empty folder"): Promise<void> {
  const folder = join(root, "bucket");
  renameSync(folder, `${root}-away`);
  if (left === "an empty folder") mkdirSync(folder);
  await (await disk({ root })).close();
  if (left === "an empty folder") rmdirSync(folder);
  renameSync(`${root}-away`, folder);
}

for (const left of ["nothing", "an empty folder"] as const) {
  describe(`a start that finds ${left} in a bucket's place`, () => {
    it("keeps what is known of the objects that were stored last", async () => {
      const root = ownRoot();
      const index = await openIndex(root);
      const { claim } = index.writer;
      // The power goes before the end of each claim is written down.
      const writer: typeof index.writer = {
        ...index.writer,
        claim: async (...parameters) => {
          const claimed = await claim(...parameters);
          return { finish: () => claimed.finish("unknown") };
        },
      };
      const first = await openDisk({ root, writer });
      await first.put({ ...ref, key: "old" }, chunks("old"), { contentType: "x/old" });
      await first.put(ref, chunks("1"), { contentType: "x/1" });
      await first.put(ref, chunks("2"), { contentType: "x/2", metadata: { a: "1" } });
      await first.close();
      index.close();

      await startWithout(root, left);
      const second = await openDisk({ root });
      expect(await second.head(ref)).toMatchObject({ contentType: "x/2", metadata: { a: "1" } });
      expect((await second.head({ ...ref, key: "old" }))?.contentType).toBe("x/old");
    });

    it("leaves what an upload has left to the start that finds it", async () => {
      const root = ownRoot();
      const first = await openDisk({ root });
      await first.put({ ...ref, key: "sub/a.txt" }, chunks("x"));
      await first.close();
      const temp = join(root, "bucket/sub", TEMP);
      writeFileSync(temp, "what a crash has left");
      await startWithout(root, left);
      expect(existsSync(temp)).toBe(true);
      await (await disk({ root })).close();
      expect(existsSync(temp)).toBe(false);
    });

    it("knows of an upload that its object was made, and that nobody lived to write it down", async () => {
      const root = ownRoot();
      const index = await openIndex(root);
      const { closeUpload } = index.writer;
      const first = await openDisk({
        root,
        writer: {
          ...index.writer,
          async closeUpload(id) {
            const claim = await closeUpload(id);
            return {
              ...claim,
              async finish(outcome) {
                await claim.finish("kept");
                if (outcome === "completed") throw new Error("the power went here");
              },
            };
          },
        },
      });
      const upload = await first.createUpload(ref);
      const part = async (number: number, text: string) => {
        const { etag } = await first.putPart(upload, number, chunks(text), { contentLength: text.length });
        return { number, etag };
      };
      // Copied into another file, as where the bucket has a disk of its own.
      const last = await part(2, "678");
      const parts = [await part(1, "12345"), last];
      const asNew = { minPartSize: 0, ifNoneMatch: "*" } as const;
      await expect(first.completeUpload(upload, parts, asNew)).rejects.toThrow("the power went");
      await first.close();
      index.close();
      await startWithout(root, left);
      const second = await openDisk({ root });
      // With the end forgotten it would find its own object in its way.
      await second.completeUpload(upload, parts, asNew);
      expect((await second.head(ref))?.size).toBe(8);
    });

    it("keeps the parts that were acknowledged", async () => {
      const root = ownRoot();
      const first = await openDisk({ root });
      await first.put(ref, chunks("x"));
      const upload = await first.createUpload(ref);
      const { etag } = await first.putPart(upload, 1, chunks("part"), { contentLength: 4 });
      await first.close();
      await startWithout(root, left);
      const second = await openDisk({ root });
      await second.completeUpload(upload, [{ number: 1, etag }], { minPartSize: 0 });
      expect((await second.head(ref))?.size).toBe(4);
    });
  });
}

it("a start takes nothing away behind a link that stands where a folder was", async () => {
  const root = ownRoot();
  const outside = mkdtempSync(join(tmpdir(), "daypass-outside-"));
  const first = await openDisk({ root });
  await first.put({ bucket: "bucket", key: "sub/a.txt" }, chunks("x"));
  await first.close();
  rmSync(join(root, "bucket/sub"), { recursive: true });
  symlinkSync(outside, join(root, "bucket/sub"));
  writeFileSync(join(outside, TEMP), "an upload of another gateway");
  writeFileSync(join(root, "bucket", TEMP), "what a crash has left");
  await (await disk({ root })).close();
  expect(readdirSync(outside)).toEqual([TEMP]);
});

it("a start forgets a folder that is gone for good, and no other", async () => {
  const root = ownRoot();
  const first = await openDisk({ root });
  for (const key of ["there/a", "gone/a"]) await first.put({ bucket: "bucket", key }, chunks("x"));
  await first.delete({ bucket: "bucket", key: "gone/a" });
  await first.close();
  rmdirSync(join(root, "bucket/gone"));
  await (await disk({ root })).close();
  const index = await openDatabase(join(root, ".daypass/index.db"), { readOnly: true });
  const noted = index.prepare("SELECT path FROM folders").all() as { readonly path: string }[];
  expect(noted.map(({ path }) => path)).toEqual([join(root, "bucket/there")]);
});

it("a start on a copy of a root takes nothing away from the root that it was copied from", async () => {
  const root = ownRoot();
  const copy = `${root}-copy`;
  const first = await openDisk({ root });
  await first.put({ bucket: "bucket", key: "sub/a" }, chunks("x"));
  await first.close();
  cpSync(root, copy, { recursive: true });
  // The root is served again by now.
  const temp = join(root, "bucket/sub", TEMP);
  writeFileSync(temp, "an upload under way");
  for (let start = 0; start < 2; start++) {
    const second = await openDisk({ root: copy });
    await second.put({ bucket: "bucket", key: "sub/b" }, chunks("x"));
    await second.close();
    writeFileSync(join(copy, "bucket/sub", TEMP), "what a crash has left");
  }
  expect(existsSync(temp)).toBe(true);
  await (await openDisk({ root: copy })).close();
  expect(readdirSync(join(copy, "bucket/sub"))).toEqual(["a", "b"]);
});
