import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import {
  type AuditFault,
  auditKey,
  auditLines,
  type ExportedHead,
  newAuditKey,
  publicKeys,
  sealer,
} from "../../src/audit/index.ts";
import { openDatabase } from "../../src/sqlite/database.ts";
import type { CommitMac } from "../../src/state/contract/commit-mac.ts";
import type { State } from "../../src/state/contract/state.ts";
import { sqliteState } from "../../src/state/sqlite/index.ts";

export const PAIR = newAuditKey();
export const OTHER = newAuditKey();
export const KEYS = publicKeys(PAIR.publicKey);
export const MAC_KEY: Uint8Array = randomBytes(32);

/** An audit in its own folder, which a test may tamper with. */
export interface AuditBench {
  folder: string;
  now: number;
  /** The heads that left the machine. */
  exported: string[];
  /** The last heads that the gateway keeps outside of the database. */
  kept: readonly ExportedHead[];
  /** The last commit of each writer, which the gateway remembers outside of the database. */
  remembered: Map<string, CommitMac>;
  open(writer?: string): Promise<State>;
  sealerOf(state: State, writer: string, pem?: string): ReturnType<typeof sealer>;
  /** Puts records under heads of a writer: one tree for each count. */
  write(
    writer: string,
    trees: readonly number[],
    options?: { readonly pem?: string; readonly unsealed?: number },
  ): Promise<void>;
  lines(): Promise<string[]>;
  edit(sql: string): Promise<void>;
}

/** Makes one for each test of the calling file. */
export function auditBench(): AuditBench {
  const bench = {} as AuditBench;
  beforeEach(() => {
    bench.folder = mkdtempSync(join(tmpdir(), "daypass-audit-"));
    bench.now = Date.parse("2026-12-01T00:00:00Z");
    bench.exported = [];
    bench.kept = [];
    bench.remembered = new Map();
  });
  afterEach(() => rmSync(bench.folder, { recursive: true }));
  const path = (): string => join(bench.folder, "state.db");
  const clock = () => new Date(bench.now);
  const macOf = (writer: string) => ({
    key: MAC_KEY,
    last: bench.remembered.get(writer),
    onCommit: (commit: CommitMac) => void bench.remembered.set(commit.writer, commit),
  });
  const kept = {
    load: async () => bench.kept,
    async save(heads: readonly ExportedHead[]) {
      bench.kept = heads;
    },
  };
  const onHead = (head: object): void => void bench.exported.push(JSON.stringify(head));
  return Object.assign(bench, {
    open: (writer = "main") => sqliteState({ path: path(), clock, writer, mac: macOf(writer) }),
    sealerOf: (state: State, writer: string, pem: string = PAIR.privateKey) =>
      sealer({
        state,
        writer,
        key: auditKey(pem),
        keys: pem === PAIR.privateKey ? KEYS : publicKeys(OTHER.publicKey),
        macKey: MAC_KEY,
        kept,
        clock,
        onHead,
      }),
    async write(
      writer: string,
      trees: readonly number[],
      { pem, unsealed = 0 }: { readonly pem?: string; readonly unsealed?: number } = {},
    ) {
      const state = await bench.open(writer);
      const { seal } = bench.sealerOf(state, writer, pem);
      const add = async (count: number): Promise<void> => {
        for (let at = 0; at < count; at++) await state.record({ action: "admin.call", by: "operator", result: "ok" });
      };
      try {
        for (const count of trees) {
          await add(count);
          await seal();
          bench.now += 60_000;
        }
        await add(unsealed);
      } finally {
        await state.close();
      }
    },
    async lines() {
      // As a process that remembers nothing.
      const state = await sqliteState({ path: path(), clock });
      const all: string[] = [];
      for await (const line of auditLines(state, { now: clock() })) all.push(line);
      await state.close();
      return all;
    },
    async edit(sql: string) {
      const db = await openDatabase(path());
      db.exec(sql);
      db.close();
    },
  });
}

type Place = readonly [kind: string, writer: string, first: number | undefined, last: number | undefined];

/** Where faults are. */
export const places = (faults: readonly AuditFault[]): Place[] =>
  faults.map(({ kind, writer, first, last }) => [kind, writer, first, last]);

const swap = (a: number, b: number) =>
  `CREATE TEMP TABLE t AS SELECT * FROM audit_record WHERE sequence IN (${a}, ${b}) AND writer = 'main';
   UPDATE audit_record SET record = (SELECT record FROM t WHERE t.sequence = ${a} + ${b} - audit_record.sequence)
   WHERE sequence IN (${a}, ${b}) AND writer = 'main'`;
const moved = (from: number, by: number) =>
  `UPDATE audit_record SET sequence = -sequence WHERE writer = 'main' AND sequence >= ${from};
   UPDATE audit_record SET sequence = -sequence + ${by} WHERE sequence < 0`;

/** Changes of an audit of two trees of five records by `main`, and a tree of three with two more by `other`; and where each is found. */
export const TAMPERED: readonly (readonly [name: string, sql: string, found: readonly Place[]])[] = [
  [
    "a changed record",
    "UPDATE audit_record SET record = replace(record, 'operator', 'operatos') WHERE sequence = 7",
    [["changed", "main", 7, undefined]],
  ],
  [
    "a removed record",
    "DELETE FROM audit_record WHERE sequence = 3 AND writer = 'main'",
    [["missing", "main", 3, undefined]],
  ],
  [
    "a removed record whose followers move down",
    `DELETE FROM audit_record WHERE sequence = 6 AND writer = 'main'; ${moved(7, -1)}`,
    [["missing", "main", 6, undefined]],
  ],
  [
    "an added record whose followers move up",
    `${moved(6, 1)}; INSERT INTO audit_record (writer, sequence, record) VALUES ('main', 6, '{}')`,
    [["added", "main", 6, undefined]],
  ],
  [
    "two swapped records",
    swap(1, 4),
    [
      ["swapped", "main", 1, undefined],
      ["swapped", "main", 4, undefined],
    ],
  ],
  [
    "records swapped between trees",
    swap(2, 9),
    [
      ["changed", "main", 2, undefined],
      ["changed", "main", 9, undefined],
    ],
  ],
  [
    "a changed record whose stored hash was changed too",
    "UPDATE audit_record SET record = '{}' WHERE sequence = 7; UPDATE audit_head SET leaves = 'AAAA' WHERE last = 10",
    [["changed", "main", 6, 10]],
  ],
  [
    "a removed head",
    "DELETE FROM audit_head WHERE last = 5 AND writer = 'main'",
    [
      ["missing", "main", 1, 10],
      ["cut", "main", 1, 5],
    ],
  ],
  [
    "a head signed by another key",
    "UPDATE audit_head SET signature = replace(signature, substr(signature, 1, 4), 'AAAA') WHERE last = 10",
    [
      ["forged-head", "main", 6, undefined],
      ["cut", "main", undefined, 10],
      ["cut", "main", 6, 10],
    ],
  ],
  [
    "a dropped writer",
    "DELETE FROM audit_writer WHERE writer = 'main'",
    [
      ["dropped-writer", "main", undefined, undefined],
      ["dropped-writer", "main", undefined, undefined],
    ],
  ],
  [
    "a cut tail of records",
    "DELETE FROM audit_record WHERE sequence > 8 AND writer = 'main'",
    [
      ["missing", "main", 9, undefined],
      ["missing", "main", 10, undefined],
    ],
  ],
  [
    "a cut tail with its head and number",
    "DELETE FROM audit_record WHERE sequence > 5 AND writer = 'main'; DELETE FROM audit_head WHERE last > 5 AND writer = 'main'; UPDATE audit_writer SET last = 5 WHERE writer = 'main'",
    [
      ["cut", "main", undefined, 10],
      ["cut", "main", 6, 10],
    ],
  ],
  ["a cut front", "DELETE FROM audit_record WHERE sequence <= 5 AND writer = 'main'", [["missing", "main", 1, 5]]],
  [
    "an unsealed tail that was cut",
    "DELETE FROM audit_record WHERE writer = 'other' AND sequence = 5",
    [["cut", "other", 5, 5]],
  ],
];
