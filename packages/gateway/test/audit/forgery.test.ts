import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { verifyAudit } from "../../src/audit/index.ts";
import { auditBench, KEYS, MAC_KEY, OTHER, places } from "./audit-bench.ts";

const bench = auditBench();
const { write, edit, open, lines } = bench;
const CHANGE = "UPDATE audit_record SET record = replace(record, 'operator', 'operatos') WHERE writer = 'main'";
const CUT_TO = (last: number) => `DELETE FROM audit_head WHERE writer = 'main' AND last > ${last};
  DELETE FROM audit_record WHERE writer = 'main' AND sequence > ${last};
  UPDATE audit_writer SET last = ${last} WHERE writer = 'main'`;

/** What the gateway answers when it signs after someone wrote to its database without a key. */
async function sealed(): Promise<string> {
  const state = await open();
  const { seal } = bench.sealerOf(state, "main");
  return seal()
    .then(String, ({ message }: Error) => message)
    .finally(() => state.close());
}

describe("after a change of the database without a key, the gateway", () => {
  it.each([
    ["a record that was changed before it was signed", `${CHANGE} AND sequence = 7`, "record 7 "],
    ["records without a MAC", "UPDATE audit_record SET mac = NULL WHERE sequence > 6", "record 7 "],
    [
      "a MAC of another commit",
      `UPDATE audit_record SET record = (SELECT record FROM audit_record WHERE sequence = 7),
         mac = (SELECT mac FROM audit_record WHERE sequence = 7) WHERE sequence = 8`,
      "record 8 ",
    ],
    [
      "records that were added",
      "INSERT INTO audit_record SELECT writer, 9, record, mac FROM audit_record WHERE sequence = 8; UPDATE audit_writer SET last = 9",
      "record 9 ",
    ],
    ["an unsealed tail that was cut", CUT_TO(7), "record 8 "],
    [
      "a history whose last head was deleted",
      "DELETE FROM audit_head WHERE last = 6",
      "head of the writer main that ends at 6",
    ],
    ["a changed record whose heads were deleted", `${CHANGE} AND sequence = 2; DELETE FROM audit_head`, "ends at 6"],
    ["an audit whose records and heads were all deleted", CUT_TO(0), "ends at 6"],
    [
      "a history under a head that no known key signed",
      "UPDATE audit_head SET signature = replace(signature, substr(signature, 1, 4), 'AAAA') WHERE last = 6",
      "ends at 6",
    ],
  ])("refuses to sign %s", async (_, sql, expected) => {
    await write("main", [5, 1], { unsealed: 2 });
    await edit(sql);
    const before = (await lines()).length;
    expect(await sealed()).toContain(expected);
    expect(await lines()).toHaveLength(before);
    expect(await sealed()).toContain(expected);
  });

  it("refuses to sign on an older copy of the database, also after new records", async () => {
    await write("main", [5]);
    const [path, copy] = [join(bench.folder, "state.db"), join(bench.folder, "copy.db")];
    copyFileSync(path, copy);
    await write("main", [5]);
    copyFileSync(copy, path);
    expect(await sealed()).toContain("ends at 10");
    await expect(write("main", [20])).rejects.toThrow("ends at 10");
  });

  it("refuses to sign when the heads of another writer are gone", async () => {
    await write("other", [3, 3]);
    await write("main", [2]);
    await edit(
      "DELETE FROM audit_head WHERE writer = 'other'; DELETE FROM audit_record WHERE writer = 'other' AND sequence > 3",
    );
    await expect(write("main", [1])).rejects.toThrow("head of the writer other that ends at 6");
  });

  it("refuses to sign below a counter that was set back, also if it remembers no commit", async () => {
    await write("main", [5]);
    await edit("UPDATE audit_writer SET last = 4");
    bench.remembered.clear();
    expect(await sealed()).toContain("ends at 5");
  });

  it("refuses to sign after a tail was cut and new records took its numbers", async () => {
    await write("main", [5], { unsealed: 3 });
    await edit(CUT_TO(6));
    await expect(write("main", [4])).rejects.toThrow("record 7 ");
  });

  it("neither keeps nor names a head of another writer that no known key signed", async () => {
    await write("other", [3], { pem: OTHER.privateKey });
    bench.kept = [];
    await write("main", [2]);
    expect(bench.kept.map(({ writer }) => writer)).toEqual(["main"]);
    expect(JSON.parse(JSON.parse(bench.exported.at(-1) ?? "").head).seen).toEqual({});
  });

  it("signs on when another writer continued, also after retention removed the head that was kept", async () => {
    await write("other", [3]);
    await write("main", [2]);
    await write("other", [1, 1, 1]);
    const state = await open("other");
    await bench.sealerOf(state, "other").cut(bench.now - 60_001);
    await state.close();
    bench.kept = bench.exported.map((line) => JSON.parse(line)).slice(0, 2);
    await write("main", [1]);
    expect(bench.kept).toHaveLength(2);
  });
});

describe("accepting a restored database", () => {
  it("signs a head that names the abandoned one, and then continues", async () => {
    await write("main", [5], { unsealed: 1 });
    await write("main", [4]);
    const abandoned = JSON.parse(bench.exported.at(-1) ?? "");
    await edit(CUT_TO(5));
    expect(await sealed()).toContain("ends at 10");
    const state = await open();
    const sealer = bench.sealerOf(state, "main");
    expect(await sealer.accept()).toContain("ends at 10");
    const head = JSON.parse(JSON.parse(bench.exported.at(-1) ?? "").head);
    expect(head).toMatchObject({ first: 6, last: 6, abandoned: { main: { last: 10 } } });
    expect(abandoned.head).not.toBe(bench.exported.at(-1));
    await expect(sealer.accept()).rejects.toThrow("agrees");
    await state.close();
    await write("main", [3]);
    const report = await verifyAudit(await lines(), { keys: KEYS, macKey: MAC_KEY });
    expect(report).toMatchObject({ sealed: 9, faults: [] });
  });

  it("signs on after a cut tail, a changed record and a lost one, which the verification still finds", async () => {
    await write("main", [5], { unsealed: 4 });
    await edit(`DELETE FROM audit_record WHERE sequence = 7; ${CHANGE} AND sequence = 9`);
    expect(await sealed()).toContain("record 7 ");
    const state = await open();
    await bench.sealerOf(state, "main").accept();
    await state.close();
    await write("main", [1]);
    const { faults } = await verifyAudit(await lines(), { keys: KEYS, macKey: MAC_KEY });
    expect(places(faults)).toContainEqual(["missing", "main", 6, 10]);
  });
});

describe("a verification on the machine of the gateway", () => {
  it("finds a changed record below no head by its MAC", async () => {
    await write("main", [5, 1]);
    await edit(`${CHANGE} AND sequence = 2; DELETE FROM audit_head`);
    const { faults } = await verifyAudit(await lines(), { keys: KEYS, macKey: MAC_KEY });
    expect(places(faults)).toContainEqual(["unmarked", "main", 2, undefined]);
  });

  it("accepts every MAC of a history that retention cut", async () => {
    await write("main", [5, 5, 5]);
    const state = await open();
    await bench.sealerOf(state, "main").cut(bench.now - 60_001);
    await state.close();
    expect((await verifyAudit(await lines(), { keys: KEYS, macKey: MAC_KEY })).faults).toEqual([]);
  });
});

describe("a verification", () => {
  it("fails for an empty input", async () => {
    expect(places((await verifyAudit([], { keys: KEYS })).faults)).toEqual([["missing", "", undefined, undefined]]);
  });

  it("fails for a record that is older than five minutes and has no head, by the time of the export", async () => {
    await write("main", [2], { unsealed: 2 });
    bench.now += 4 * 60_000;
    expect(await verifyAudit(await lines(), { keys: KEYS })).toMatchObject({ unsealed: 2, faults: [] });
    bench.now += 60_001;
    const { faults } = await verifyAudit(await lines(), { keys: KEYS });
    expect(places(faults)).toEqual([["unsealed", "main", 3, 4]]);
    await edit("DELETE FROM audit_head");
    expect(places((await verifyAudit(await lines(), { keys: KEYS })).faults)).toEqual([["unsealed", "main", 1, 4]]);
  });
});
