import { describe, expect, it } from "vitest";
import { disk } from "../../src/storage/disk/index.ts";
import { storageContract } from "../../src/testing/storage-contract.ts";
import { leakedTemps, removeRoot, tempRoot } from "./temp-root.ts";

async function open() {
  const root = tempRoot();
  const storage = await disk({ root });
  const close = async () => {
    await storage.close();
    const leaked = leakedTemps(root);
    removeRoot(root);
    expect(leaked).toEqual([]);
  };
  return { storage, bucket: "bucket", close };
}

storageContract({ describe, it, expect }, { name: "disk", open });
