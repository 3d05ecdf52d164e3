/**
 * Slots for bodies that are read before they are verified. A slow upload occupies its slot until it finishes, so these bodies may not use all
 * requests in progress, and one sender not all slots.
 * @module
 */
import { Refusal } from "./refusal.ts";

export interface SlotOptions {
  /** Number of slots. */
  readonly slots: number;
  /** Slots for one address: half of them at most, and one at least. */
  readonly perAddress: number;
  readonly occupied: Occupancy;
}

/** The slots in use. Shared by successive gateways. */
export interface Occupancy {
  /** Number of slots in use, over all networks. */
  total: number;
  /** Number of slots in use, by network. */
  readonly taken: Map<string, number>;
}

export function occupancy(): Occupancy {
  return { total: 0, taken: new Map() };
}

/** Runs a step in a slot for an address. @throws {Refusal} `BUSY` */
export type WithSlot = <T>(address: string | undefined, step: () => Promise<T>) => Promise<T>;

export function slots(options: SlotOptions): WithSlot {
  const share = Math.max(1, Math.min(options.perAddress, Math.floor(options.slots / 2)));
  const { occupied } = options;
  const { taken } = occupied;
  return async (address, step) => {
    // Clients without a known address count as one: hiding it must not help.
    const network = networkOf(address ?? "");
    const own = taken.get(network) ?? 0;
    if (occupied.total >= options.slots || own >= share)
      throw new Refusal("BUSY", "too many bodies wait for their signature to be checked. Try again");
    occupied.total += 1;
    taken.set(network, own + 1);
    try {
      return await step();
    } finally {
      occupied.total -= 1;
      const left = (taken.get(network) ?? 1) - 1;
      if (left === 0) taken.delete(network);
      else taken.set(network, left);
    }
  };
}

/** Returns an IPv4 address unchanged, also inside IPv6. Of IPv6, the first 64 bits: one subscriber has at least a /64. */
export function networkOf(address: string): string {
  const [, v4] = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (v4 !== undefined || !address.includes(":")) return v4 ?? address;
  const [head = "", tail] = address.split("::");
  const groups = (text: string): readonly string[] => (text === "" ? [] : text.split(":"));
  const behind = groups(tail ?? "");
  const zeros = Array.from({ length: Math.max(0, 8 - groups(head).length - behind.length) }, () => "0");
  return [...groups(head), ...(tail === undefined ? [] : zeros), ...behind]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
