/** The audit as lines of JSON. docs/spec/audit.md is the specification of their form. */
import type { State } from "../state/contract/state.ts";

/** Which lines to export. */
export interface ExportOptions {
  /** Only heads, without leaves: to be kept on another machine. */
  readonly headsOnly?: boolean | undefined;
  /** When the export is made: records that are older than five minutes by then need a head. */
  readonly now: Date;
}

const PAGE = 1000;

/**
 * The lines of all writers: for each its last number, then every tree with its head, then the records that have no head yet. Reads `state` page by
 * page, and checks nothing.
 *
 * @example
 * ```ts
 * import { auditLines } from "@daypass/gateway/audit";
 * import { sqliteState } from "@daypass/gateway/state";
 *
 * const state = await sqliteState({ path: "state.db" });
 * for await (const line of auditLines(state, { now: new Date() })) console.log(line);
 * await state.close();
 * ```
 */
export async function* auditLines(state: State, { headsOnly = false, now }: ExportOptions): AsyncGenerator<string> {
  const time = now.toISOString();
  for (const { writer, last } of await state.auditWriters()) {
    if (!headsOnly) yield JSON.stringify({ writer, last, time });
    let after = 0;
    for (let from = 0; ; ) {
      const [head] = await state.auditHeads({ writer, after: from, limit: 1 });
      if (!headsOnly) {
        for await (const { sequence, record, mac } of recordsUpTo(state, { writer, after, last: head?.last ?? last })) {
          yield JSON.stringify({ writer, sequence, record, mac });
          after = sequence;
        }
      }
      if (head === undefined) break;
      const { head: text, signature, leaves } = head;
      yield JSON.stringify({ writer, head: text, signature, leaves: headsOnly ? undefined : leaves });
      from = head.last;
    }
  }
}

async function* recordsUpTo(
  state: State,
  { writer, after, last }: { readonly writer: string; readonly after: number; readonly last: number },
) {
  for (let from = after; from < last; ) {
    const page = await state.auditRecords({ writer, after: from, limit: PAGE });
    const inside = page.filter(({ sequence }) => sequence <= last);
    yield* inside;
    if (inside.length < PAGE) return;
    from = inside.at(-1)?.sequence ?? last;
  }
}
