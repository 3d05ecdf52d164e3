/** The rows of a key store in the database of all replicas, sealed by the master key. The state folder has a copy, which knows older rows. */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { KeyMethods, SealedKey, State } from "@daypass/gateway/state";
import { CommandError, type Context } from "../command.ts";
import { reach } from "./gateway-socket.ts";
import { fileRows, type KeyRow, type KeyRows } from "./key-rows.ts";
import { type Entry, keysCopy, type Report } from "./keys-copy.ts";
import { linkFiles } from "./link-files.ts";
import { masterKey, seal, unseal } from "./master-key.ts";

/** Options of {@link sharedRows}. */
export interface SharedRowsOptions {
  readonly folder: string;
  readonly env: Context["env"];
  readonly clock: () => Date;
  /** Whether this process belongs to the gateway of the folder, which always has an owner of the state. `false` by default. */
  readonly isGateway?: boolean | undefined;
  /** How old the copy may be, in milliseconds, while the database does not answer: 5 minutes by default. */
  readonly maxAgeMs?: number | undefined;
  /** Receives what an operator must know: an older or foreign row in the database. */
  readonly report?: Report | undefined;
}

interface Loaded {
  readonly entries: ReadonlyMap<string, Entry>;
  /** The sum of the versions in the database. */
  readonly revision: number;
}

const MAX_AGE_MS = 300_000;
const CONFIRM_MS = 5000;
/** After a call that was not answered, the copy answers for this time. */
const AWAY_MS = 5000;
const TRIES = 20;

const rowContext = ({ id, version }: Omit<SealedKey, "sealed">): string =>
  JSON.stringify(["daypass: key, version 1", id, version]);

/** The database does not answer, and no copy may replace it. */
export class KeysAway extends CommandError {}

/** Rows of keys that all replicas share. */
export function sharedRows(options: SharedRowsOptions): KeyRows {
  const { folder, env, clock, maxAgeMs = MAX_AGE_MS, report = reportToOperator } = options;
  const copy = keysCopy({ path: linkFiles(folder).keysCopy, clock, report });
  let awayUntil = Number.NEGATIVE_INFINITY;
  /** What the copy was last saved with, and when it was confirmed. */
  let known: number | undefined;
  let confirmedAt = Number.NEGATIVE_INFINITY;

  const call = async <T>(work: (keys: Required<KeyMethods>) => Promise<T>): Promise<T> => {
    const { StateUnavailable } = await import("@daypass/gateway/state");
    if (performance.now() < awayUntil) throw new StateUnavailable("the database does not answer");
    const state = await openSharedState(options);
    try {
      return await work(state as Required<KeyMethods>);
    } catch (error) {
      if (error instanceof StateUnavailable) awayUntil = performance.now() + AWAY_MS;
      throw error;
    } finally {
      await state.close();
    }
  };

  const load = async (): Promise<Loaded> => {
    // Before the database is read: another process may save what it changes meanwhile.
    const kept = copy.exists() ? await copy.load(await openMaster()) : undefined;
    let stored = await call((keys) => keys.listKeys());
    const own = stored.length === 0 && !copy.exists() ? await fileRows(folder).read() : [];
    if (stored.length === 0 && !copy.exists() && own.length === 0) return { entries: new Map(), revision: 0 };
    const master = await openMaster();
    if (own.length > 0) {
      const moved = own.map((row) => sealRow(master, row, 1));
      const isMoved = await call((keys) => keys.putKeys(moved, 0));
      if (isMoved) await rename(join(folder, "keys.json"), join(folder, "keys.json.moved"));
      stored = await call((keys) => keys.listKeys());
    }
    const revision = stored.reduce((sum, { version }) => sum + version, 0);
    const entries = openRows(master, stored, report);
    for (const [id, { version: highest, row }] of kept?.entries ?? []) {
      const version = entries.get(id)?.version ?? 0;
      if (version >= highest) continue;
      report(OLDER, { id, version, highest });
      entries.set(id, { version: highest, row, isLost: true });
    }
    await copy.save(master, entries);
    known = revision;
    confirmedAt = performance.now();
    return { entries, revision };
  };

  const openMaster = (): Promise<Uint8Array> => masterKey({ env, folder, create: false });

  /** The copy, while the database is away. */
  const fromCopy = async (): Promise<readonly Entry[]> => {
    const kept = copy.exists() ? await copy.load(await openMaster()) : undefined;
    if (kept !== undefined && Math.abs(clock().getTime() - kept.checkedAt) <= maxAgeMs)
      return [...kept.entries.values()];
    throw new KeysAway(
      `PostgreSQL has the keys and does not answer, and their copy in ${folder} is missing, too old, or sealed by another master key`,
    );
  };

  return {
    async read() {
      const entries = await load().then(
        (loaded) => [...loaded.entries.values()],
        (error: unknown) => {
          if (!isUnavailable(error)) throw error;
          return fromCopy();
        },
      );
      return inOrder(entries);
    },
    async change(work) {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const { entries, revision } = await load();
        const [rows, result] = await work(inOrder([...entries.values()]));
        const changed = rows.filter((row) => {
          const entry = entries.get(row.record.id);
          return entry?.row !== row || entry.isLost === true;
        });
        if (changed.length === 0) return result;
        const master = await openMaster();
        const next = changed.map((row) => sealRow(master, row, (entries.get(row.record.id)?.version ?? 0) + 1));
        if (!(await call((keys) => keys.putKeys(next, revision)))) continue;
        await load();
        return result;
      }
      throw new CommandError("other replicas are changing the keys. Try again");
    },
    async fingerprint() {
      try {
        const revision = await call((keys) => keys.keysRevision());
        // A key that another replica changed must be read before the copy is young again.
        if (revision === known && performance.now() - confirmedAt > CONFIRM_MS && copy.exists()) {
          confirmedAt = performance.now();
          await copy.save(await openMaster(), new Map());
        }
        return `revision ${revision}`;
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        return "copy";
      }
    },
  };
}

const OTHER_MASTER_KEY =
  "the master key does not decrypt the keys in the database. Give every replica the same DAYPASS_MASTER_KEY_FILE";

const OLDER = "the database has an older version of a key, which is refused: it was restored or changed";

const isUnavailable = (error: unknown): boolean => (error as { code?: unknown }).code === "STATE_UNAVAILABLE";

function reportToOperator(message: string, details: object): void {
  process.stderr.write(`daypass: ${message} ${JSON.stringify(details)}\n`);
}

/** A row as the database stores it. */
export function sealRow(master: Uint8Array, row: KeyRow, version: number): SealedKey {
  const { id } = row.record;
  return { id, version, sealed: seal(master, JSON.stringify(row), rowContext({ id, version })) };
}

/** What the master key opens. Throws if it opens nothing. */
function openRows(master: Uint8Array, stored: readonly SealedKey[], report: Report): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const { id, version, sealed } of stored) {
    const text = unseal(master, sealed, rowContext({ id, version }));
    if (text !== undefined) entries.set(id, { version, row: JSON.parse(text) as KeyRow });
    else report("the database has a key that the master key did not seal, and it is refused", { id });
  }
  if (entries.size === 0 && stored.length > 0) throw new CommandError(OTHER_MASTER_KEY);
  return entries;
}

function inOrder(entries: readonly Entry[]): readonly KeyRow[] {
  const place = ({ record }: KeyRow): string => `${record.createdAt} ${record.id}`;
  return entries.map(({ row }) => row).sort((a, b) => (place(a) < place(b) ? -1 : 1));
}

/** The state through the gateway of the folder, or in this process if none runs. */
export async function openSharedState({
  folder,
  env,
  isGateway,
}: Pick<SharedRowsOptions, "folder" | "env" | "isGateway">): Promise<State> {
  const { stateSocket } = linkFiles(folder);
  const socket = isGateway === true ? undefined : await reach(stateSocket, folder);
  socket?.destroy();
  if (isGateway === true || socket !== undefined) {
    const { connectState } = await import("@daypass/gateway/state");
    return connectState({ path: stateSocket });
  }
  const { openState } = await import("../state-owner/open-state.ts");
  return openState(folder, env);
}
