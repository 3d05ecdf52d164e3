/**
 * Who may write where in an upload, decided by the one process that writes the index.
 *
 * Parts of one size lie at their final place in a common file, so that the end of an upload copies nothing. Each place is
 * written once and by one at a time: what was acknowledged is never overwritten, and a part that comes again, or of another
 * size, gets a file of its own.
 */
import { noSuchUpload } from "../../contract/upload-refusals.ts";
import type { UploadsIndexWriter } from "./contract.ts";
import type { IndexDatabase } from "./index-database.ts";
import { keyTurns } from "./key-lock.ts";

/** The largest object of S3; file systems end in the same region. */
const MAX_POSITION = 5 * 1024 ** 4;
/** How long a completed upload is remembered. */
const REMEMBERED_MS = 24 * 60 * 60 * 1000;

/** What is under way in an upload. */
interface UnderWay {
  /** Numbers of the parts that are being written into the common file. */
  readonly places: Set<number>;
  /** Somebody holds the right to end it, or waits for it. */
  closing: number;
}

export interface UploadsWriterOptions {
  readonly database: IndexDatabase;
  /** Resolves when the change is on disk. */
  readonly durable: (apply: () => void) => Promise<void>;
  /** The same, but on a disk without any room it does not wait until there is some. */
  readonly durableOrSoon: (apply: () => void) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export function uploadsWriter({ database, durable, durableOrSoon, clock }: UploadsWriterOptions): UploadsIndexWriter {
  const { uploads } = database;
  const turns = keyTurns();
  const active = new Map<string, UnderWay>();

  function underWay(id: string): UnderWay {
    const known = active.get(id) ?? { places: new Set<number>(), closing: 0 };
    active.set(id, known);
    return known;
  }

  function forget(id: string): void {
    const known = active.get(id);
    if (known !== undefined && known.places.size === 0 && known.closing === 0) active.delete(id);
  }

  /** The position of a part in the common file, if it can have one. The size of the first part decides for all. */
  async function placeOf(id: string, number: number, size: number): Promise<number | undefined> {
    const { places, closing } = underWay(id);
    const row = uploads.upload(id);
    if (row === undefined || closing > 0 || places.has(number) || uploads.part(id, number) !== undefined)
      return undefined;
    // Once an end was begun the common file may be the object, also where nobody was left to say so.
    if (row.ending !== undefined) return undefined;
    const slotSize = row.slotSize ?? size;
    const position = (number - 1) * slotSize;
    if (size === 0 || size > slotSize || position + size > MAX_POSITION) return undefined;
    places.add(number);
    if (row.slotSize === undefined) {
      try {
        await durable(() => uploads.setSlotSize(id, slotSize));
      } catch (error) {
        places.delete(number);
        throw error;
      }
      // Another part may have decided in the same commit.
      if (uploads.upload(id)?.slotSize !== slotSize) {
        places.delete(number);
        return undefined;
      }
    }
    return position;
  }

  function isOpen(id: string): boolean {
    return uploads.upload(id)?.ended === false;
  }

  return {
    createUpload: (row) => durable(() => uploads.insertUpload(row)),
    async openPart({ uploadId, ref, number, size }) {
      const row = uploads.upload(uploadId);
      if (row === undefined || row.ended || row.ref.bucket !== ref.bucket || row.ref.key !== ref.key) {
        throw noSuchUpload();
      }
      const position = size === undefined ? undefined : await placeOf(uploadId, number, size);
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
              if (!isOpen(uploadId)) return;
              const before = uploads.part(uploadId, number)?.place;
              replaced = before !== undefined && "file" in before ? before.file : undefined;
              uploads.putPart(uploadId, part);
              stored = true;
            });
          } finally {
            if (position !== undefined) active.get(uploadId)?.places.delete(number);
            forget(uploadId);
          }
          if (!stored) throw noSuchUpload();
          return replaced;
        },
      };
    },
    async closeUpload(uploadId) {
      const state = underWay(uploadId);
      state.closing += 1;
      const leave = await turns.enter(uploadId);
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
            leave();
            forget(uploadId);
          }
        },
      };
    },
  };
}
