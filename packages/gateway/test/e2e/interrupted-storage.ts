import type { Storage } from "../../src/storage/contract/storage.ts";

/** A storage with another writer in the gap between the look and the commit: `meanwhile` runs just before it stores. */
export function interrupted(disk: Storage, meanwhile: () => Promise<unknown> | undefined): Storage {
  return {
    ...disk,
    async put(ref, body, options) {
      await meanwhile();
      return disk.put(ref, body, options);
    },
    async copy(source, target, options) {
      await meanwhile();
      return disk.copy(source, target, options);
    },
  };
}
