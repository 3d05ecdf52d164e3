/** How often the holders of a link opened its page and downloaded: counts for its owner, which decide nothing. */
import type { Millis } from "./deliveries.ts";

/** A page that one network opens again and again counts once in this time. */
export const OPENING: Millis = 10 * 60_000;
/** How long the id of a batch is kept: far longer than the batch is repeated. */
export const COUNTED: Millis = 10 * 60_000;

/** What one network did with a variant since the last batch. */
export interface VariantUse {
  readonly variant: string;
  /** The network of the client: an IPv4 address, or the /64 of an IPv6 address. */
  readonly network: string;
  /** When it opened the page first; absent if it did not. */
  readonly openedAt?: Millis | undefined;
  /** Complete downloads, except for deliveries, whose completion is counted by `deliver`. */
  readonly downloaded: number;
  /** When it opened the page or downloaded last. */
  readonly lastAt: Millis;
}

/** Uses that are counted together. */
export interface CountBatch {
  /** Random. A repeated batch changes nothing. */
  readonly id: string;
  /** At most one for each variant and network. */
  readonly uses: readonly VariantUse[];
}

/** What a batch adds to a variant, by its columns. */
export interface AddedCounts {
  readonly id: string;
  readonly opened: number;
  readonly downloaded: number;
  readonly last_opened: Millis;
}

/** Adds up the uses of each variant. @param opened the variant of each opening that counts */
export function addedCounts(uses: readonly VariantUse[], opened: readonly string[]): readonly AddedCounts[] {
  const sums = new Map<string, AddedCounts>();
  const add = (id: string, more: Omit<AddedCounts, "id">): void => {
    const sum = sums.get(id) ?? { opened: 0, downloaded: 0, last_opened: 0 };
    sums.set(id, {
      id,
      opened: sum.opened + more.opened,
      downloaded: sum.downloaded + more.downloaded,
      last_opened: Math.max(sum.last_opened, more.last_opened),
    });
  };
  for (const { variant, downloaded, lastAt } of uses) add(variant, { opened: 0, downloaded, last_opened: lastAt });
  for (const variant of opened) add(variant, { opened: 1, downloaded: 0, last_opened: 0 });
  return [...sums.values()];
}
