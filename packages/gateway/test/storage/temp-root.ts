import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Storage } from "../../src/storage/contract/storage.ts";
import {
  type DiskIndex,
  type DiskIndexOptions,
  type DiskOptions,
  disk,
  openDiskIndex,
} from "../../src/storage/disk/index.ts";

/** A root with one bucket, on the machine's disk. */
export function tempRoot(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "daypass-disk-")));
  mkdirSync(join(root, "bucket"));
  return root;
}

export function removeRoot(root: string): void {
  rmSync(root, { recursive: true, force: true });
}

/** The same, removed after the test. */
export function ownRoot(): string {
  const root = tempRoot();
  onTestFinished(() => removeRoot(root));
  return root;
}

/** Opens storage that is closed after the test. */
export async function openDisk(options: DiskOptions): Promise<Storage> {
  const storage = await disk(options);
  onTestFinished(() => storage.close());
  return storage;
}

/** Opens an index that is closed after the test. It may be closed before, too. */
export async function openIndex(root: string, options?: DiskIndexOptions): Promise<DiskIndex> {
  const index = await openDiskIndex(root, options);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) index.close();
    isOpen = false;
  };
  onTestFinished(close);
  return { ...index, close };
}

/** Runs a test on its own storage. */
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

/** The temp files below a root. */
export function leakedTemps(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tmp"));
}

export async function* chunks(...parts: readonly (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? Buffer.from(part) : part;
}
