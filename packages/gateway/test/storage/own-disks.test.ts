import type { Stats } from "node:fs";
import { expect, it } from "vitest";
import { isStorageError } from "../../src/storage/contract/storage.ts";
import { bucketsOnOwnDisks } from "../../src/storage/disk/mount-points.ts";

const folderOn = (dev: number): Stats => ({ dev, birthtimeMs: 0 }) as Stats;

it("a root that is mounted again has another device, and its buckets are where they were", () => {
  let device = 1;
  const { expectMounted } = bucketsOnOwnDisks({ root: "/srv/files", rootDevice: () => device });
  const outcomeOn = (bucket: string, dev: number): string => {
    try {
      expectMounted(bucket, folderOn(dev));
      return "there";
    } catch (error) {
      return isStorageError(error) ? error.code : String(error);
    }
  };
  expect([outcomeOn("plain", 1), outcomeOn("own-disk", 2)]).toEqual(["there", "there"]);
  device = 3;
  // The numbers may even have changed places.
  expect([outcomeOn("plain", 3), outcomeOn("own-disk", 1)]).toEqual(["there", "there"]);
  expect(outcomeOn("own-disk", 3)).toBe("UNAVAILABLE");
  device = 1;
  expect([outcomeOn("plain", 1), outcomeOn("own-disk", 1)]).toEqual(["there", "UNAVAILABLE"]);
});
