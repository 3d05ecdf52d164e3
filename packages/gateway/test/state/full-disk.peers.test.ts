import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { IN_NAMESPACE, needsMounts, needsRootMounts, ROOT_NAMESPACE } from "../../../../tools/mounts.ts";
import { needsPostgres, postgresServer } from "../../../../tools/postgres-server.ts";
import { openLinks } from "../../src/links/links.ts";
import { connectState, postgresState, serveState } from "../../src/state/index.ts";
import { bundledFixture } from "../storage/bundled-fixture.ts";
import { removeRoot, tempRoot } from "../storage/temp-root.ts";

const reason = needsMounts();

describe.skipIf(reason)(`the state on a full disk${reason ?? ""}`, () => {
  it("stores revocations and nothing else, also after a restart, and recovers when there is space", async () => {
    const program = await bundledFixture("full-state.ts");
    const root = tempRoot();
    const script = 'mount -t tmpfs -o size=24m tmpfs "$1"; "$2" "$3" "$1" first; exec "$2" "$3" "$1" second';
    const output = execFileSync("unshare", [...IN_NAMESPACE, script, "sh", root, process.execPath, program]);
    const [first = "", second = ""] = output.toString().split("\n");
    const claims = ["STATE_UNAVAILABLE", "STATE_UNAVAILABLE"];
    expect(JSON.parse(first)).toEqual({ claims, isFull: true, isTokenRevoked: true });
    expect(JSON.parse(second)).toEqual({
      suspended: 0,
      isFull: true,
      revocations: 12,
      recovered: { isFull: false, claim: "stored" },
      reserve: 1024 * 1024,
    });
    removeRoot(root);
  });
});

const withoutPostgres = needsPostgres() ?? needsRootMounts();

describe.skipIf(withoutPostgres)(`PostgreSQL on a full disk${withoutPostgres ?? ""}`, () => {
  it("makes links not ready with the reason, until a minute after the last call that found no space", async () => {
    const root = tempRoot();
    const space = join(root, "space");
    mkdirSync(space);
    chmodSync(root, 0o755);
    const script = 'mount -t tmpfs -o size=2m,uid="$(id -u postgres)" tmpfs "$0"; exec "$@"';
    const server = await postgresServer({}, ["unshare", ...ROOT_NAMESPACE, script, space]);
    let now = Date.parse("2026-12-01T12:00:00Z");
    const clock = () => new Date(now);
    const state = await postgresState({ url: server.url, clock });
    const owner = await serveState(state, join(root, "sock"));
    const remote = connectState({ path: join(root, "sock") });
    try {
      await remote.listTokens();
      server.sql(`CREATE TABLESPACE small LOCATION '${space}'`);
      server.sql("ALTER TABLE daypass.audit_record SET TABLESPACE small");
      server.sql("CREATE TABLE filler (text text) TABLESPACE small");
      // Less and less at once, so that no page is left.
      for (let rows = 512; rows >= 1; rows /= 2) {
        const insert = `INSERT INTO filler SELECT repeat('x', 1900) FROM generate_series(1, ${rows})`;
        server.sql(`DO $$ BEGIN LOOP ${insert}; END LOOP; EXCEPTION WHEN disk_full THEN NULL; END $$`);
      }
      const links = await openLinks({ state: remote, clock });
      const detail = "x".repeat(1900);
      const record = () => remote.record({ action: "admin.call", by: "operator", result: "ok", detail });
      // A call that fails later would say something about the disk of that time.
      const ended = await Promise.allSettled(Array.from({ length: 20 }, record));
      const reason = { code: "STATE_UNAVAILABLE", message: "the disk of the database is full" };
      expect(ended).toContainEqual({ status: "rejected", reason: expect.objectContaining(reason) });
      const full = "state full: at most revocations are stored";
      expect(links.obstacle()).toBe(full);
      await remote.listTokens();
      expect(links.obstacle()).toBe(full);
      server.sql("DROP TABLE filler");
      await record();
      now += 60_000;
      await remote.listTokens();
      expect(links.obstacle()).toBeUndefined();
    } finally {
      await remote.close();
      await owner.close();
      await server.remove();
      removeRoot(root);
    }
  });
});
