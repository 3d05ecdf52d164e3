/** Secrets, runs, sweeps and backups in SQLite. */
import { randomBytes } from "node:crypto";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { type Database, openDatabase } from "../../sqlite/database.ts";
import { COUNTED, OPENING } from "../contract/counts.ts";
import { lostUsesRow } from "../contract/rows.ts";
import type { UpkeepMethods } from "../contract/state.ts";
import { rowValues } from "../contract/tables.ts";
import type { Engine } from "./engine.ts";
import type { Reserve } from "./reserve.ts";
import { removeOrphans } from "./tokens.ts";

const DAY = 24 * 60 * 60_000;

/** The methods of the contract that keep a state in order. */
export function upkeepMethods(
  engine: Engine,
  { db, reserve }: { readonly db: Database; readonly reserve: Pick<Reserve, "keep"> },
): UpkeepMethods {
  const { first, all, run, append, commit, commitRevocation, now } = engine;

  function sweep(): void {
    const at = now();
    const gateway = { by: "gateway", result: "ok" } as const;
    for (const { token, variant, link, address } of all("lapse", at)) {
      run("giveUnused", variant);
      append({ ...gateway, action: "delivery.lapsed", link, delivery: token, address });
    }
    for (const { token, link, address } of all("endLeases", at)) {
      append({ ...gateway, action: "delivery.ended", link, delivery: token, address });
    }
    for (const { id } of all("warn", at, at + DAY, 2 * DAY)) append({ ...gateway, action: "link.expiring", link: id });
    removeOrphans(engine, "gateway");
    run("removeUses", at);
    run("removeRevocations", at - DAY);
    run("removeFailures", at - DAY);
    run("removeOpenings", at - OPENING);
    run("removeApplied", at - COUNTED);
  }

  return {
    secret: (name) =>
      commit(() => {
        const known = first("secret", name)?.value;
        if (known !== undefined) return Uint8Array.from(known);
        const value = randomBytes(32);
        run("addSecret", name, value);
        return Uint8Array.from(value);
      }),
    beginRun: (seen) =>
      // A gateway that restarts on a full disk must revoke, too.
      commitRevocation(() => {
        const last = first("secret", "run")?.value;
        const isKnown = last === undefined || Buffer.from(last).toString("base64url") === seen;
        const suspended = isKnown ? 0 : run("suspendCounted");
        if (!isKnown) {
          run("skipRevisions");
          const revision = Number(first("nextRevision")?.value);
          run("putLostUses", ...rowValues("revocation", lostUsesRow(revision, now())));
          const detail = `${suspended} links suspended`;
          append({ action: "state.restored", by: "gateway", result: "ok", detail });
        }
        const next = randomBytes(16);
        run("putSecret", "run", next);
        return { run: next.toString("base64url"), restored: !isKnown, suspended };
      }),
    sweep: () => commit(sweep).finally(reserve.keep),
    async backup(path) {
      if (existsSync(path)) throw new Error(`${path} exists. Name a new file for the backup.`);
      // VACUUM runs outside of a transaction, so it waits for the commit in progress.
      await commit(() => undefined);
      // The copy has the secret of the state, so only its owner may read it.
      writeFileSync(path, "", { flag: "wx", mode: 0o600 });
      try {
        db.prepare("VACUUM INTO ?").run(path);
        // A copy with the present run would look like a state that has lost nothing.
        const copy = await openDatabase(path);
        copy.exec("UPDATE secret SET value = randomblob(16) WHERE name = 'run'");
        copy.close();
      } catch (error) {
        rmSync(path, { force: true });
        throw error;
      }
    },
  };
}
