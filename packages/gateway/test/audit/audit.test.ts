import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type AuditFault,
  auditKey,
  auditLines,
  newAuditKey,
  publicKeys,
  type Receipt,
  readReceipt,
  receiptOf,
  sealer,
  verifyAudit,
} from "../../src/audit/index.ts";
import { leafHash, pathOf, rootFromPath, rootOf } from "../../src/audit/tree.ts";
import { openDatabase } from "../../src/sqlite.ts";
import { sqliteState } from "../../src/state/sqlite/index.ts";

const PAIR = newAuditKey();
const OTHER = newAuditKey();
const KEYS = publicKeys(PAIR.publicKey);
let folder: string;
let now: number;
let exported: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "daypass-audit-"));
  now = Date.parse("2026-12-01T00:00:00Z");
  exported = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = (): string => join(folder, "state.db");
const open = (writer = "main") => sqliteState({ path: path(), clock: () => new Date(now), writer });

/** Puts records under heads of a writer: one tree for each count. */
async function write(writer: string, trees: readonly number[], { pem = PAIR.privateKey, unsealed = 0 } = {}) {
  const state = await open(writer);
  const { seal } = sealer({
    ...{ state, writer, key: auditKey(pem), clock: () => new Date(now) },
    onHead: (head) => void exported.push(JSON.stringify(head)),
  });
  const add = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at++) await state.record({ action: "admin.call", by: "operator", result: "ok" });
  };
  try {
    for (const count of trees) {
      await add(count);
      await seal();
      now += 60_000;
    }
    await add(unsealed);
  } finally {
    await state.close();
  }
}

async function lines(): Promise<string[]> {
  const state = await open();
  const all: string[] = [];
  for await (const line of auditLines(state)) all.push(line);
  await state.close();
  return all;
}

async function edit(sql: string): Promise<void> {
  const db = await openDatabase(path());
  db.exec(sql);
  db.close();
}

const places = (faults: readonly AuditFault[]) =>
  faults.map(({ kind, writer, first, last }) => [kind, writer, first, last]);

describe("an audit", () => {
  it("verifies over several trees, epochs and writers, and counts what has no head yet", async () => {
    await write("main", [5, 1]);
    await write("other", [3]);
    await write("main", [2], { unsealed: 4 });
    expect(await verifyAudit(await lines(), { keys: KEYS, exportedHeads: exported })).toEqual({
      ...{ sealed: 11, unsealed: 4, heads: 4, faults: [] },
    });
    const heads = exported.map((line) => JSON.parse(JSON.parse(line).head));
    expect(new Set(heads.map(({ epoch }) => epoch)).size).toBe(3);
    expect(heads.at(-1)).toMatchObject({ first: 7, last: 8, seen: { other: { last: 3 } } });
  });

  const swap = (a: number, b: number) =>
    `CREATE TEMP TABLE t AS SELECT * FROM audit_record WHERE sequence IN (${a}, ${b}) AND writer = 'main';
     UPDATE audit_record SET record = (SELECT record FROM t WHERE t.sequence = ${a} + ${b} - audit_record.sequence)
     WHERE sequence IN (${a}, ${b}) AND writer = 'main'`;
  const moved = (from: number, by: number) =>
    `UPDATE audit_record SET sequence = -sequence WHERE writer = 'main' AND sequence >= ${from};
     UPDATE audit_record SET sequence = -sequence + ${by} WHERE sequence < 0`;

  it.each([
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
      `${moved(6, 1)}; INSERT INTO audit_record VALUES ('main', 6, '{}')`,
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
  ] as const)("finds %s", async (_, sql, expected) => {
    await write("main", [5, 5]);
    await write("other", [3], { unsealed: 2 });
    await edit(sql);
    const { faults } = await verifyAudit(await lines(), { keys: KEYS, exportedHeads: exported });
    expect(places(faults)).toEqual(expected);
  });

  it("finds a tail that was cut and signed anew by the same key, because its head left the machine", async () => {
    await write("main", [5, 5]);
    await edit(
      "DELETE FROM audit_record WHERE sequence > 5; DELETE FROM audit_head WHERE last > 5; UPDATE audit_writer SET last = 5",
    );
    await write("main", [5]);
    expect(places((await verifyAudit(await lines(), { keys: KEYS, exportedHeads: exported })).faults)).toEqual([
      ["cut", "main", 6, 10],
    ]);
    expect((await verifyAudit(await lines(), { keys: KEYS })).faults).toEqual([]);
  });

  it("finds a history that another key signed", async () => {
    await write("main", [5], { pem: OTHER.privateKey });
    expect(places((await verifyAudit(await lines(), { keys: KEYS })).faults)).toEqual([
      ["forged-head", "main", 1, undefined],
    ]);
  });

  it("accepts an exported head that was not stored before the process ended", async () => {
    await write("main", [5]);
    await edit("DELETE FROM audit_head");
    await write("main", [2]);
    expect((await verifyAudit(await lines(), { keys: KEYS, exportedHeads: exported })).faults).toEqual([]);
  });

  it("verifies after retention cut it at a head, and not if the cut is not on record", async () => {
    await write("main", [5, 5, 5]);
    const state = await open();
    const clock = () => new Date(now);
    const { cut } = sealer({
      state,
      writer: "main",
      key: auditKey(PAIR.privateKey),
      clock,
      onHead: (head) => void exported.push(JSON.stringify(head)),
    });
    await cut(now - 60_001);
    await cut(now - 60_001);
    await state.close();
    expect(await verifyAudit(await lines(), { keys: KEYS, exportedHeads: exported })).toMatchObject({
      sealed: 6,
      unsealed: 0,
      faults: [],
    });
    await edit("DELETE FROM audit_record WHERE sequence <= 15; DELETE FROM audit_head WHERE last < 15");
    expect(places((await verifyAudit(await lines(), { keys: KEYS })).faults)).toEqual([["missing", "main", 1, 15]]);
  });

  it("is not signed further after an unsigned record was removed", async () => {
    await write("main", [5], { unsealed: 3 });
    await edit("DELETE FROM audit_record WHERE sequence = 7");
    await expect(write("main", [1])).rejects.toThrow("record 7");
    expect(places((await verifyAudit(await lines(), { keys: KEYS })).faults)).toEqual([["missing", "main", 7, 7]]);
  });

  it("reports a line that is no line of an export", async () => {
    expect(places((await verifyAudit(["{", "[]", ""], { keys: KEYS })).faults)).toHaveLength(2);
  });
});

describe("a receipt", () => {
  it("verifies offline for each record, and not after any change", async () => {
    await write("main", [7, 1], { unsealed: 1 });
    const state = await open();
    const receipts = await Promise.all(Array.from({ length: 8 }, (_, at) => receiptOf(state, "main", at + 1)));
    expect(await receiptOf(state, "main", 9)).toBeUndefined();
    expect(await receiptOf(state, "main", 99)).toBeUndefined();
    await state.close();
    for (const receipt of receipts as Receipt[]) {
      expect(readReceipt(receipt, KEYS)).toMatchObject({ writer: "main" });
      expect(readReceipt(receipt, publicKeys(OTHER.publicKey))).toBeUndefined();
      const changes: Partial<Receipt>[] = [
        { record: receipt.record.replace("operator", "operatos") },
        { sequence: receipt.sequence + 1 },
        { path: [...receipt.path, "AAAA"] },
        { path: receipt.path.slice(1) },
        { head: receipt.head.replace("main", "mail") },
        { signature: "" },
      ];
      const wrong = changes.filter((change) => JSON.stringify({ ...receipt, ...change }) !== JSON.stringify(receipt));
      for (const change of wrong) expect(readReceipt({ ...receipt, ...change }, KEYS)).toBeUndefined();
    }
  });
});

describe("a tree", () => {
  // The vectors of RFC 6962's reference implementation.
  const records = ["", "\0", "\x10", " !", "01", "@ABC", "PQRSTUVW", "`abcdefghijklmno"];
  it.each([
    [1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"],
    [2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    [3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"],
    [4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    [5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"],
    [6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"],
    [7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"],
    [8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"],
  ])("has the root of RFC 6962 for %i records, and a path from each", (size, hex) => {
    const leaves = records.slice(0, size).map(leafHash);
    const root = Buffer.from(hex, "hex").toString("base64url");
    expect(rootOf(leaves)).toBe(root);
    for (const [index, leaf] of leaves.entries()) {
      expect(rootFromPath(leaf, pathOf(leaves, index), { index, size })).toBe(root);
    }
  });
});
