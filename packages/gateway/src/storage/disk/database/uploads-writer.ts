/**
 * Where each part of a multipart upload is written, decided by the one process that writes the index.
 *
 * Parts of one size have their final position in a common file, so completing an upload copies nothing. Each position is written
 * once: an acknowledged part is never overwritten. A part that is sent again, or has another size, gets its own file.
 */
import { noSuchUpload } from "../../contract/upload-refusals.ts";
import type { UploadsIndexWriter } from "./contract.ts";
import type { IndexDatabase } from "./index-database.ts";
import { keyLock } from "./key-lock.ts";

/** The largest object of S3, and about the largest file of file systems. */
const MAX_POSITION = 5 * 1024 ** 4;
/** How long a completed upload is remembered. */
const REMEMBERED_MS = 24 * 60 * 60 * 1000;

/** The writes of an upload that are in progress. */
interface ActiveUpload {
  /** Numbers of the parts that are being written into the common file. */
  readonly places: Set<number>;
  /** Claims to end it, held or waiting. */
  closing: number;
}

export interface UploadsWriterOptions {
  readonly database: IndexDatabase;
  /** Resolves when the change is on disk. */
  readonly durable: (apply: () => void) => Promise<void>;
  /** The same, but does not wait for space on a full disk. */
  readonly durableOrSoon: (apply: () => void) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export function uploadsWriter({ database, durable, durableOrSoon, clock }: UploadsWriterOptions): UploadsIndexWriter {
  const { uploads } = database;
  const ids = keyLock();
  const active = new Map<string, ActiveUpload>();

  function activeUpload(id: string): ActiveUpload {
    const known = active.get(id) ?? { places: new Set<number>(), closing: 0 };
    active.set(id, known);
    return known;
  }

  function dropIdle(id: string): void {
    const known = active.get(id);
    if (known?.places.size === 0 && known.closing === 0) active.delete(id);
  }

  /** The position of a part in the common file, if it can have one. The size of the first part decides for all. */
  async function reservePosition(id: string, number: number, size: number): Promise<number | undefined> {
    const { places, closing } = activeUpload(id);
    const row = uploads.upload(id);
    const isTaken = closing > 0 || places.has(number) || uploads.part(id, number) !== undefined;
    // Once an end has begun, the common file may be the object.
    if (row === undefined || isTaken || row.ending !== undefined) return undefined;
    const slotSize = row.slotSize ?? size;
    const position = (number - 1) * slotSize;
    if (size === 0 || size > slotSize || position + size > MAX_POSITION) return undefined;
    places.add(number);
    if (row.slotSize !== undefined) return position;
    let isReserved = false;
    try {
      await durable(() => uploads.setSlotSize(id, slotSize));
      // Another part may have decided in the same commit.
      isReserved = uploads.upload(id)?.slotSize === slotSize;
    } finally {
      if (!isReserved) places.delete(number);
    }
    return isReserved ? position : undefined;
  }

  return {
    createUpload: (row) => durable(() => uploads.insertUpload(row)),
    async openPart({ uploadId, ref, number, size }) {
      const row = uploads.upload(uploadId);
      if (row === undefined || row.ended || row.ref.bucket !== ref.bucket || row.ref.key !== ref.key) {
        throw noSuchUpload();
      }
      const position = size === undefined ? undefined : await reservePosition(uploadId, number, size);
      let held = true;
      return {
        position,
        async finish(part) {
          if (!held) return undefined;
          held = false;
          let stored = false;
          let replaced: string | undefined;
          try {
            if (part === undefined) return undefined;
            await durable(() => {
              if (uploads.upload(uploadId)?.ended !== false) return;
              const before = uploads.part(uploadId, number)?.place;
              replaced = before !== undefined && "file" in before ? before.file : undefined;
              uploads.putPart(uploadId, part);
              stored = true;
            });
          } finally {
            if (position !== undefined) active.get(uploadId)?.places.delete(number);
            dropIdle(uploadId);
          }
          if (!stored) throw noSuchUpload();
          return replaced;
        },
      };
    },
    async closeUpload(uploadId) {
      const state = activeUpload(uploadId);
      state.closing += 1;
      const unlock = await ids.lock(uploadId);
      let held = true;
      return {
        busy: state.places.size > 0,
        async finish(outcome) {
          if (!held) return;
          held = false;
          try {
            if (outcome === "completed") {
              const now = clock();
              await durable(() => {
                uploads.endUpload(uploadId, now);
                uploads.removeEnded(now - REMEMBERED_MS);
              });
            }
            if (outcome === "aborted") await durableOrSoon(() => uploads.removeUpload(uploadId));
          } finally {
            state.closing -= 1;
            unlock();
            dropIdle(uploadId);
          }
        },
      };
    },
  };
}
