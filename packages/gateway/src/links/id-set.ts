/** Texts in 16 bytes each. A million of them in a `Set` take ten times as much, and slow the collector of garbage. */
import { hash } from "node:crypto";

/** A set of texts that cannot be read back. */
export interface IdSet {
  readonly size: number;
  add(id: string): void;
  has(id: string): boolean;
  delete(id: string): void;
}

const WORDS = 4;
const FIRST_SLOTS = 64;

/**
 * An empty set. It compares 128 bits of SHA-256. To find two texts that share them costs an attacker 2^64 hashes, and gains a refusal.
 */
export function idSet(): IdSet {
  // Open addressing: an entry is in the first free slot from its own one on. A slot whose first word is 0 is free.
  let table = new Uint32Array(FIRST_SLOTS * WORDS);
  let size = 0;
  const wanted = new Uint32Array(WORDS);
  const bytes = new Uint8Array(wanted.buffer);
  const ownSlot = (second: number | undefined): number => ((second ?? 0) * WORDS) % table.length;
  const after = (slot: number): number => (slot + WORDS) % table.length;

  const digest = (id: string): void => {
    // As a string: in Node 20 a buffer takes four times as long.
    const text = hash("sha256", id, "binary");
    for (let byte = 0; byte < bytes.length; byte += 1) bytes[byte] = text.charCodeAt(byte);
    if (wanted[0] === 0) wanted[0] = 1;
  };
  /** The slot of the wanted entry, or the free one where it belongs. */
  const find = (): number => {
    let slot = ownSlot(wanted[1]);
    for (; table[slot] !== 0; slot = after(slot)) {
      let same = 0;
      while (same < WORDS && table[slot + same] === wanted[same]) same += 1;
      if (same === WORDS) break;
    }
    return slot;
  };
  const grow = (): void => {
    const old = table;
    table = new Uint32Array(old.length * 2);
    for (let slot = 0; slot < old.length; slot += WORDS) {
      if (old[slot] === 0) continue;
      wanted.set(old.subarray(slot, slot + WORDS));
      table.set(wanted, find());
    }
  };

  return {
    get size() {
      return size;
    },
    add(id) {
      if ((size + 1) * WORDS * 4 > table.length * 3) grow();
      digest(id);
      const slot = find();
      if (table[slot] === 0) size += 1;
      table.set(wanted, slot);
    },
    has(id) {
      if (size === 0) return false;
      digest(id);
      return table[find()] !== 0;
    },
    delete(id) {
      digest(id);
      let free = find();
      if (table[free] === 0) return;
      size -= 1;
      table[free] = 0;
      // A search ends at a free slot, so entries that were pushed past this one move up.
      for (let slot = after(free); table[slot] !== 0; slot = after(slot)) {
        const fromOwn = (slot - ownSlot(table[slot + 1]) + table.length) % table.length;
        if (fromOwn < (slot - free + table.length) % table.length) continue;
        table.copyWithin(free, slot, slot + WORDS);
        table[slot] = 0;
        free = slot;
      }
    },
  };
}
