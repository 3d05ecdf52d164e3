/** Pages of lists, and the cursors that continue them. */

/** One page of a list, newest first. */
export interface Page<T> {
  /** Empty if nothing is left. */
  readonly items: readonly T[];
  /** Continues the list; absent at its end. */
  readonly next?: string | undefined;
}

/** Selects a page. */
export interface PageRequest {
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
  /** 1 to 1,000. */
  readonly limit: number;
}

/** Cursors are opaque to clients: the sort columns of the last row. `undefined` if no page has this cursor. */
function cursorColumns(cursor: string): [time: number, id: string] | undefined {
  const text = Buffer.from(cursor, "base64url");
  const [, time, id] = /^(\d{1,15}) ([\w-]+)$/.exec(text.toString()) ?? [];
  return id === undefined || text.toString("base64url") !== cursor ? undefined : [Number(time), id];
}

export function isCursor(text: string): boolean {
  return cursorColumns(text) !== undefined;
}

/** @throws {RangeError} if the cursor is not one of a page */
export function pageStart({ cursor }: PageRequest): [time: number, id: string] {
  const start = cursor === undefined ? ([Number.MAX_SAFE_INTEGER, ""] as [number, string]) : cursorColumns(cursor);
  if (start === undefined) throw new RangeError("No page returned this cursor as next.");
  return start;
}

export function pageOf<Row, T>(
  rows: readonly Row[],
  { limit }: PageRequest,
  toItem: (row: NoInfer<Row>) => T,
  time: keyof Row & ("created_at" | "claimed_at"),
  id: keyof Row & ("id" | "token"),
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last ? Buffer.from(`${last[time]} ${last[id]}`).toString("base64url") : undefined;
  return { items: shown.map(toItem), next };
}
