/** Bytes of signed texts that the searches of one explanation compute: about 0.1 s for any input. */
const ALL = 10_000_000;
/** A try costs as much as these bytes, in addition to its text. */
const PER_TRY = 1000;
/** A check with a public key costs as much as these bytes. */
export const PUBLIC_KEY = 8000;
/** No client or server accepts longer URLs, and making the variants of one takes long. */
const LONGEST = 16_384;

/** The work of an explanation. It is counted instead of timed, so that the same input always has the same result. */
export interface Work {
  /** Whether variants are tried at all. */
  readonly searches: boolean;
  /** Counts a try. Returns whether the work suffices for it. */
  take(): boolean;
  /** A part of what is left, for one of several keys: counts a try within it. */
  share(parts: number): () => boolean;
  /** The same work, for tries that cost more. */
  costing(more: number): Work;
}

/** What is left for all readings of one explanation. */
export interface Budget {
  left: number;
}

export function budget(): Budget {
  return { left: ALL };
}

/** The work for one reading of a URL. `bytes` is the length of the text that it signs. */
export function workOf(from: Budget, bytes: number, isReadOnly: boolean): Work {
  const of = (cost: number): Work => {
    const within = (most: number): (() => boolean) => {
      const end = from.left - most;
      return () => {
        if (from.left - cost < end) return false;
        from.left -= cost;
        return true;
      };
    };
    return {
      searches: !isReadOnly && bytes <= LONGEST,
      take: within(from.left),
      share: (parts) => within(from.left / parts),
      costing: (more) => of(cost + more),
    };
  };
  return of(PER_TRY + bytes);
}
