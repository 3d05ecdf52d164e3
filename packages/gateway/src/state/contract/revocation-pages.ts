/** Reads the revocations of a state in pages, until the reader knows the state's revision. */
import type { RevocationChange, RevocationPage } from "./revocations.ts";
import type { State } from "./state.ts";

/** What follows the revocations of a state. */
export interface RevocationReader {
  /** Every change up to this revision is known. */
  readonly revision: number;
  /** Takes changes in the order of their revisions. With them, every change up to `complete` is known. */
  apply(changes: readonly RevocationChange[], complete: number): void;
  /** Begins at revision 0 again, because the state is older than the reader. What was read stays in force. */
  restart(): void;
}

/** Most changes of a page. With 500, more of them are alive at once, and a process that reads a million grows by 18 MB more. */
const PAGE = 125;

/**
 * Returns a function that brings a reader to the revision of the state, and rejects if it could not. A page that cannot be read is read again in
 * smaller parts, also by the next call; none is left out.
 *
 * @param state - where the revocations are stored.
 *
 * @example
 * ```ts
 * import { type RevocationReader, revocationPages, type State } from "@daypass/gateway/state";
 *
 * export const follow = (state: State, reader: RevocationReader) => revocationPages(state)(reader);
 * ```
 */
export function revocationPages(
  state: Pick<State, "revocationsAfter" | "isAvailable">,
): (reader: RevocationReader) => Promise<void> {
  let limit = PAGE;
  return async (reader) => {
    for (;;) {
      const asked = limit;
      let page: RevocationPage;
      try {
        page = await state.revocationsAfter(reader.revision, asked);
      } catch (error) {
        limit = Math.max(1, asked >> 3);
        if (asked === 1 || state.isAvailable?.() === false) throw error;
        continue;
      }
      limit = Math.min(PAGE, asked * 2);
      const { revocations, revision } = page;
      const isLast = revocations.length < asked;
      if (revision < reader.revision) {
        reader.restart();
        continue;
      }
      reader.apply(revocations, isLast ? revision : (revocations.at(-1)?.revision ?? revision));
      if (isLast) return;
    }
  };
}
