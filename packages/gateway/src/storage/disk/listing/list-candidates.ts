/** One step of a listing through the index: the next keys, and the folders that could hold other keys in between. */
import { compareUtf8, textAfterPrefix } from "../../contract/listing.ts";
import type { Bound, FolderRow, NameRow, NamesReader } from "../database/names-table.ts";

/** A key, or all keys that share a prefix up to a delimiter. */
export interface Candidate {
  /** Set for rolled-up keys. */
  readonly prefix: string | undefined;
  /** The key, or the first ones of rolled-up keys. */
  readonly keys: readonly string[];
  /** The uploads of the key. */
  readonly uploads: readonly NameRow[];
}

export interface Position {
  readonly from: Bound;
  /** Folders from here on were not checked. Before `from` if a prefix has no proven key yet. */
  readonly gap: Bound;
}

export interface Step {
  readonly candidates: readonly Candidate[];
  /** Folders in the range that are not below a rolled-up prefix. */
  readonly folders: readonly FolderRow[];
  /** `undefined` at the end of the range. */
  readonly next: Position | undefined;
}

export interface StepOptions {
  readonly bucket: string;
  readonly position: Position;
  readonly until: string | undefined;
  readonly prefix: string;
  readonly delimiter: string | undefined;
  /** The most candidates. */
  readonly limit: number;
  /** Keys of each rolled-up prefix. */
  readonly witnesses: number;
}

/** Rows read at once, and folders in a step. */
const ROWS = 256;

/** Reads the index from a position on, until it has enough candidates or too many folders to check. */
export function nextCandidates(names: NamesReader, options: StepOptions): Step {
  const { bucket, until, prefix, delimiter, limit, witnesses } = options;
  const candidates: Candidate[] = [];
  const folders: FolderRow[] = [];
  let { from, gap } = options.position;
  // With a delimiter, rows after the first of a prefix are wasted.
  let rows = delimiter === undefined ? Math.min(limit, ROWS) : witnesses;

  /** Adds the folders up to a text. Returns the position to continue from if they are too many. */
  function closeGap(end: string | undefined): Position | undefined {
    const found = names.folders({ bucket, from: gap, until: end, limit: ROWS });
    folders.push(...found);
    const last = found.length === ROWS ? found.at(-1)?.prefix : undefined;
    if (last === undefined) return undefined;
    while (compareUtf8(candidates.at(-1)?.keys[0] ?? "", last) > 0) candidates.pop();
    return startingAt({ text: last, inclusive: false });
  }

  for (;;) {
    const read = names.names({ bucket, from, until, limit: rows });
    const groups = grouped(read);
    let rolled: string | undefined;
    for (let i = 0; i < groups.length; ) {
      const { key, uploads } = groups[i] ?? { key: "", uploads: [] };
      rolled = rolledUp(key, prefix, delimiter);
      if (rolled === undefined) {
        candidates.push({ prefix: undefined, keys: [key], uploads });
        from = { text: key, inclusive: false };
        i += 1;
      } else {
        const cut = closeGap(rolled);
        if (cut !== undefined) return { candidates, folders, next: cut };
        if (folders.length > ROWS) {
          return { candidates, folders, next: startingAt({ text: rolled, inclusive: true }) };
        }
        const keys: string[] = [];
        for (; groups[i]?.key.startsWith(rolled) === true; i++) keys.push(groups[i]?.key ?? "");
        candidates.push({ prefix: rolled, keys: keys.slice(0, witnesses), uploads: [] });
        const after = textAfterPrefix(rolled);
        if (after === undefined) return { candidates, folders, next: undefined };
        from = { text: after, inclusive: true };
        gap = from;
      }
      if (candidates.length >= limit) return { candidates, folders, next: closeGap(from.text) ?? startingAt(from) };
    }
    if (read.length < rows) return { candidates, folders, next: closeGap(until) };
    rows = rolled === undefined ? Math.min(rows * 2, ROWS) : witnesses;
  }
}

export function startingAt(bound: Bound): Position {
  return { from: bound, gap: bound };
}

interface Group {
  readonly key: string;
  readonly uploads: NameRow[];
}

function grouped(rows: readonly NameRow[]): Group[] {
  const groups: Group[] = [];
  for (const row of rows) {
    let group = groups.at(-1);
    if (group?.key !== row.key) {
      group = { key: row.key, uploads: [] };
      groups.push(group);
    }
    if (row.fingerprint !== undefined) group.uploads.push(row);
  }
  return groups;
}

function rolledUp(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (delimiter === undefined || delimiter === "") return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}
