/** The SQLite engine of the state, in the process that owns the file. Transactions that arrive together share one commit. */
import { isSqliteFull, openDatabase, unlock } from "../../sqlite/database.ts";
import { commitChain, type MacOptions } from "../contract/commit-mac.ts";
import type { Millis } from "../contract/deliveries.ts";
import type { State } from "../contract/state.ts";
import { StateUnusable } from "../contract/unusable.ts";
import { auditMethods, journalOf, outboxMethods } from "./audit.ts";
import { deliveryMethods } from "./deliveries.ts";
import { grouped } from "./group-commit.ts";
import { linkMethods } from "./links.ts";
import { migrate } from "./migrate.ts";
import { queries } from "./query.ts";
import { reserveOf } from "./reserve.ts";
import { revocationMethods } from "./revocations.ts";
import { tokenMethods } from "./tokens.ts";
import { upkeepMethods } from "./upkeep.ts";

/** Options of {@link sqliteState}. */
export interface SqliteStateOptions {
  /** Path of the database file, which is created if it does not exist. */
  readonly path: string;
  readonly clock?: (() => Date) | undefined;
  /** The name under which this process records decisions: `main` by default. */
  readonly writer?: string | undefined;
  /** Authenticates each commit of the audit. Absent: none, and no sealer signs the records. */
  readonly mac?: MacOptions | undefined;
}

/**
 * Opens the state in this process. Rejects if another process owns the file, and with `StateUnusable` (`STATE_UNUSABLE`) if it needs
 * a newer release.
 *
 * @example
 * ```ts
 * import { sqliteState } from "@daypass/gateway/state";
 *
 * const state = await sqliteState({ path: "state.db" });
 * await state.close();
 * ```
 */
export async function sqliteState(options: SqliteStateOptions): Promise<State> {
  const { path, clock = () => new Date(), writer = "main", mac } = options;
  const reserve = reserveOf(path);
  const db = await openDatabase(path, { timeout: 0 });
  try {
    db.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
    );
    // A group of claims changes pages all over the indexes: with SQLite's 2 MB of cache and 4 MB of log each group would end in a checkpoint.
    db.exec("PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8192");
    migrate(db);
  } catch (error) {
    if (error instanceof StateUnusable) unlock(db);
    db.close();
    if (isSqliteFull(error) && reserve.giveUp()) return sqliteState(options);
    throw error;
  }
  const query = queries(db);
  // SQLite reports a clock that went back as it is, and a counter must not run twice.
  let latest: Millis = 0;
  const now = (): Millis => {
    latest = Math.max(latest, clock().getTime());
    return latest;
  };
  const chain = commitChain(writer, mac);
  const journal = journalOf(query, { writer, chain, now });
  const { commit, commitRevocation, close } = grouped(db, journal, reserve);
  const engine = { ...query, append: journal.append, commit, commitRevocation, now };
  return {
    sharedByReplicas: false,
    ...linkMethods(engine),
    ...deliveryMethods(engine),
    ...revocationMethods(engine),
    ...tokenMethods(engine),
    ...auditMethods(engine, chain),
    ...outboxMethods(engine),
    ...upkeepMethods(engine, { db, reserve }),
    isFull: reserve.isFull,
    close,
  };
}
