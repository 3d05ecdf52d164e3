/**
 * Places for bodies that are read before anybody has verified them. Whoever sends one slowly has a place for as long; so all of them
 * together must not be all that there are, and those of one sender not all of them.
 * @module
 */
import { Refusal } from "./refusal.ts";

export interface PlaceOptions {
  /** Places in all. */
  readonly places: number;
  /** Of these, places for one address. One address has half of them at most, and one place at least. */
  readonly perAddress: number;
  readonly occupied: Occupancy;
}

/** The places in use. It outlives the limits that apply to them. */
export interface Occupancy {
  /** Number of places in use, over all networks. */
  total: number;
  /** Number of places in use, by network. */
  readonly taken: Map<string, number>;
}

export function occupancy(): Occupancy {
  return { total: 0, taken: new Map() };
}

/** Runs a step in a place for an address. @throws {Refusal} `BUSY` */
export type WithPlace = <T>(address: string | undefined, step: () => Promise<T>) => Promise<T>;

export function places(options: PlaceOptions): WithPlace {
  const share = Math.max(1, Math.min(options.perAddress, Math.floor(options.places / 2)));
  const { occupied } = options;
  const { taken } = occupied;
  return async (address, step) => {
    // Those of whom nothing is known share a place like one: a client must not gain by hiding.
    const network = networkOf(address ?? "");
    const own = taken.get(network) ?? 0;
    if (occupied.total >= options.places || own >= share)
      throw new Refusal("BUSY", "expected fewer bodies that wait for their signature at once: try again");
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

/** IPv4 as it is, also inside IPv6; of IPv6 the 64 bits that one subscriber has at the least. */
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
