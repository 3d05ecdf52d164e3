import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { type DiskOptions, disk } from "../../src/storage/disk/index.ts";

/** A root of its own with one bucket, on the machine's disk. */
export function tempRoot(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "daypass-disk-")));
  mkdirSync(join(root, "bucket"));
  return root;
}

export function removeRoot(root: string): void {
  rmSync(root, { recursive: true, force: true });
}

/** Runs a test on a disk storage of its own. */
export async function withDisk(
  body: (storage: Storage, root: string) => Promise<void>,
  options: Partial<DiskOptions> = {},
): Promise<void> {
  const root = options.root ?? tempRoot();
  const storage = await disk({ ...options, root });
  try {
    await body(storage, root);
  } finally {
    await storage.close();
    removeRoot(root);
  }
}

/** Temp files that an upload has left anywhere below a root. */
export function leakedTemps(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tmp"));
}

export async function* chunks(...parts: readonly (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? Buffer.from(part) : part;
}
