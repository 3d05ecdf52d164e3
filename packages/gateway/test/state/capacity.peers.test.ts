import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { needsPostgres, postgresServer } from "../../../../tools/postgres-server.ts";
import type { Link } from "../../src/state/contract/fields.ts";
import { postgresState } from "../../src/state/postgres/index.ts";
import { bytes, documentedTable, each, life } from "./capacity-model.ts";

const reason = needsPostgres();
const guide = readFileSync(new URL("../../../../docs/guide/replicas.md", import.meta.url), "utf8");
const LINKS = 2000;
const DAY = 24 * 60 * 60_000;
const hash = (text: string): string => text.padEnd(43, "x");

const link = (id: string): Link => ({
  ...{
    id,
    public: false,
    kind: "object",
    bucket: "media",
    key: `reports/2026/${id}.pdf`,
    owner: "token:0123456789",
    version: 1,
  },
  ...{
    createdAt: Date.now(),
    startsAt: Date.now(),
    expiresAt: Date.now() + life.days * DAY,
    networks: [],
    label: "A report",
  },
  ...{ preview: true, follow: false, revokedAt: undefined, suspended: undefined, etag: "0123456789abcdef", size: 1000 },
});

describe.skipIf(reason)(`the capacity on paper${reason ?? ""}`, () => {
  it("has the rows and the bytes that a simulated life of links has", async () => {
    const server = await postgresServer({ fsync: "off" });
    const state = await postgresState({ url: server.url });
    const live = async (at: number): Promise<void> => {
      const id = String(at).padStart(22, "0");
      const isCounted = at % 2 === 0;
      const counters = { used: 0, givenBack: 0, held: 0, started: 0, completed: 0, maxBytes: undefined };
      await state.createLink(link(id), [{ id, link: id, max: isCounted ? life.deliveries : undefined, ...counters }]);
      for (let use = 0; use < (isCounted ? life.deliveries : life.reads); use += 1) {
        const entry = {
          by: "holder",
          result: "ok",
          link: id,
          target: `media/reports/2026/${id}.pdf`,
          address: `192.0.2.${use}`,
        };
        if (!isCounted) await state.record({ ...entry, action: "link.opened", bytes: 1000 });
        else {
          const [token, attempt] = [hash(`t${id}${use}`), `${id}${use}`];
          const start = {
            attempt,
            length: 1000,
            object: { etag: "0123456789abcdef", size: 1000 },
            target: entry.target,
          };
          await state.deliver(id, { type: "claim", claim: hash(`c${id}${use}`), token, address: entry.address, start });
          await state.deliver(id, { type: "settle", token, attempt, sent: 1000, from: 0 });
        }
      }
      if (at % (1 / life.revoked) === 0)
        await state.revoke({ id: hash(id), selector: { kind: "link", id }, until: Date.now() + DAY }, "operator");
    };
    try {
      await Promise.all(
        Array.from({ length: 50 }, async (_, lane) => {
          for (let at = lane; at < LINKS; at += 50) await live(at);
        }),
      );
      const count = (table: string): number => Number(server.sql(`SELECT count(*) FROM daypass.${table}`));
      expect({
        claims: count("delivery") / LINKS,
        records: count("audit_record") / LINKS,
        revocations: count("revocation") / LINKS,
      }).toEqual({ claims: each.claims, records: each.records, revocations: each.revocations });
      const size = (...tables: readonly string[]): number =>
        tables.reduce((sum, table) => sum + Number(server.sql(`SELECT pg_total_relation_size('daypass.${table}')`)), 0);
      server.sql("VACUUM FULL daypass.link, daypass.variant, daypass.delivery, daypass.audit_record");
      const measured = {
        link: size("link", "variant") / LINKS,
        delivery: size("delivery") / count("delivery"),
        record: size("audit_record") / count("audit_record"),
      };
      for (const name of ["link", "delivery", "record"] as const) {
        expect(measured[name], name).toBeGreaterThan(bytes[name] / 1.4);
        expect(measured[name], name).toBeLessThan(bytes[name] * 1.4);
      }
    } finally {
      await state.close();
      await server.remove();
    }
  });

  it("is the table of the guide", () => {
    expect(guide).toContain(documentedTable());
  });
});
