/**
 * A piece of memory that the main thread and one worker share: a block of lines one way, its answers the other. Nothing
 * is copied or allocated on the way, and whoever was told of a slot last has it to himself.
 */
export interface Slot {
  readonly input: Uint8Array;
  readonly output: Uint8Array;
}

/** Slots of one worker: two are in work or on their way while the third is written out. */
export const SLOTS_A_WORKER = 3;

// A chunk of a file and the beginning of a line from the chunk before it.
const INPUT_BYTES = 512 * 1024;
// The answers to it, as a rule. What does not fit is sent as a message of its own.
const OUTPUT_BYTES = 2 * 1024 * 1024;

export function newSlots(): readonly Slot[] {
  return Array.from({ length: SLOTS_A_WORKER }, () => ({
    input: new Uint8Array(new SharedArrayBuffer(INPUT_BYTES)),
    output: new Uint8Array(new SharedArrayBuffer(OUTPUT_BYTES)),
  }));
}
