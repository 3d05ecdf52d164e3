import { describe, expect, it } from "vitest";
import { publicKeys, type Receipt, readReceipt, receiptOf, verifyAudit } from "../../src/audit/index.ts";
import { leafHash, pathOf, rootFromPath, rootOf } from "../../src/audit/tree.ts";
import { auditBench, KEYS, OTHER, places, TAMPERED } from "./audit-bench.ts";

const bench = auditBench();
const { write, lines, edit, open } = bench;
const verify = async () => verifyAudit(await lines(), { keys: KEYS, exportedHeads: bench.exported });

describe("an audit", () => {
  it("verifies over several trees, epochs and writers, and counts what has no head yet", async () => {
    await write("main", [5, 1]);
    await write("other", [3]);
    await write("main", [2], { unsealed: 4 });
    expect(await verify()).toEqual({
      ...{ sealed: 11, unsealed: 4, heads: 4, faults: [] },
    });
    const heads = bench.exported.map((line) => JSON.parse(JSON.parse(line).head));
    expect(new Set(heads.map(({ epoch }) => epoch)).size).toBe(3);
    expect(heads.at(-1)).toMatchObject({ first: 7, last: 8, seen: { other: { last: 3 } } });
  });

  it.each(TAMPERED)("finds %s", async (_, sql, expected) => {
    await write("main", [5, 5]);
    await write("other", [3], { unsealed: 2 });
    await edit(sql);
    const { faults } = await verify();
    expect(places(faults)).toEqual(expected);
  });

  it("finds a tail that was cut and signed anew by the same key, because its head left the machine", async () => {
    await write("main", [5, 5]);
    await edit(
      "DELETE FROM audit_record WHERE sequence > 5; DELETE FROM audit_head WHERE last > 5; UPDATE audit_writer SET last = 5",
    );
    // The attacker with the key has the machine, too.
    bench.kept = [];
    bench.remembered.clear();
    await write("main", [5]);
    expect(places((await verify()).faults)).toEqual([["cut", "main", 6, 10]]);
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
    bench.kept = [];
    await write("main", [2]);
    expect((await verify()).faults).toEqual([]);
  });

  it("verifies after retention cut it at a head, and not if the cut is not recorded", async () => {
    await write("main", [5, 5, 5]);
    const state = await open();
    const { cut } = bench.sealerOf(state, "main");
    await cut(bench.now - 60_001);
    await cut(bench.now - 60_001);
    await state.close();
    expect(await verify()).toMatchObject({
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

  it("names other writers in a head for seven days after their last head", async () => {
    await write("other", [3]);
    bench.now += 7 * 86_400_000 - 60_001;
    await write("main", [1, 1]);
    const seen = bench.exported.map((line) => Object.keys(JSON.parse(JSON.parse(line).head).seen));
    expect(seen).toEqual([[], ["other"], []]);
    expect((await verify()).faults).toEqual([]);
    await edit("DELETE FROM audit_writer WHERE writer = 'other'");
    expect(places((await verifyAudit(await lines(), { keys: KEYS })).faults)).toEqual([
      ["dropped-writer", "other", undefined, undefined],
    ]);
  });

  it("reports a line that is no line of an export", async () => {
    expect(places((await verifyAudit(["{", "[]", ""], { keys: KEYS })).faults)).toHaveLength(2);
  });

  it("reports an exported head that is torn, or that no known key signed, because it protects nothing", async () => {
    await write("main", [5]);
    const [head = ""] = bench.exported;
    const unsigned = JSON.stringify({ ...JSON.parse(head), signature: "" });
    const exportedHeads = [head.slice(0, -9), unsigned, head, ...(await lines()), ""];
    const { faults } = await verifyAudit(await lines(), { keys: KEYS, exportedHeads });
    expect(faults.map(({ kind, writer }) => [kind, writer])).toEqual([
      ["unreadable", ""],
      ["forged-head", "main"],
    ]);
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
