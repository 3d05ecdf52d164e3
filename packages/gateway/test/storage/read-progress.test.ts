import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FolderPart } from "../../src/storage/disk/listing/file-thread.ts";
import { type ReadProgress, readProgress } from "../../src/storage/disk/listing/read-progress.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const names = (count: number, ended = false): FolderPart[] => [
  {
    index: 0,
    files: Array.from({ length: count }, String),
    folders: [],
    ...(ended && { ended: { stamp: "", took: 0 } }),
  },
];

describe("the first reading of a large folder", () => {
  it("is reported every two seconds and at its end", () => {
    const reports: ReadProgress[] = [];
    const count = readProgress((progress) => reports.push(progress));
    for (let i = 0; i < 50; i++) {
      count("media", names(1000));
      vi.advanceTimersByTime(100);
    }
    count("media", names(0, true));
    vi.advanceTimersByTime(600);
    expect(reports).toEqual([
      { bucket: "media", names: 21_000, folders: 0, seconds: 2, ended: false },
      { bucket: "media", names: 41_000, folders: 0, seconds: 4, ended: false },
      { bucket: "media", names: 50_000, folders: 1, seconds: 5, ended: true },
    ]);
  });

  it("is not reported if it is short", () => {
    const reports: ReadProgress[] = [];
    const count = readProgress((progress) => reports.push(progress));
    for (let i = 0; i < 10; i++) {
      count("media", names(1000, true));
      vi.advanceTimersByTime(1000);
    }
    expect(reports).toEqual([]);
  });
});
