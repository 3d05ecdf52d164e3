import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { needs } from "../../../../tools/needs.ts";
import { receiptOf } from "../../src/audit/index.ts";
import { auditBench, OTHER, PAIR, TAMPERED } from "./audit-bench.ts";

const program = fileURLToPath(new URL("../../../../docs/spec/verify_audit.py", import.meta.url));
const reason =
  needs("python3") ??
  (existsSync("/usr/lib/python3/dist-packages/cryptography") ? undefined : needs("python3-cryptography"));
const bench = auditBench();

function file(name: string, text: string): string {
  const path = join(bench.folder, name);
  writeFileSync(path, text);
  return path;
}

function python(...args: string[]): { status: number | null; out: string } {
  const { status, stdout, stderr } = spawnSync("/usr/bin/python3", ["-B", program, ...args], { encoding: "utf8" });
  return { status, out: stdout + stderr };
}

async function verify(): Promise<ReturnType<typeof python>> {
  const keys = file("keys.pem", OTHER.publicKey + PAIR.publicKey);
  const heads = file("heads.ndjson", `${bench.exported.join("\n")}\n`);
  return python(keys, file("export.ndjson", (await bench.lines()).join("\n")), heads);
}

describe.skipIf(reason)(`the verifier in Python that was written from docs/spec/audit.md${reason ?? ""}`, () => {
  it("accepts an audit of several trees, writers and epochs, cut by retention", async () => {
    await bench.write("main", [5, 5]);
    await bench.write("other", [3]);
    await bench.write("main", [2], { unsealed: 4 });
    expect(await verify()).toEqual({ status: 0, out: "as signed, 4 records have no head yet\n" });
    const state = await bench.open();
    await bench.sealerOf(state, "main").cut(bench.now - 100_000);
    await state.close();
    expect(await verify()).toEqual({ status: 0, out: "as signed\n" });
  });

  it.each(TAMPERED)("finds %s", async (_, sql, [first]) => {
    await bench.write("main", [5, 5]);
    await bench.write("other", [3], { unsealed: 2 });
    await bench.edit(sql);
    const { status, out } = await verify();
    expect([status, out]).toEqual([1, expect.stringContaining(` ${first?.[1]}`)]);
    expect(out).not.toContain("Traceback");
  });

  it("refuses an empty export, and records that are older than five minutes and have no head", async () => {
    const keys = file("keys.pem", PAIR.publicKey);
    expect(python(keys, file("empty.ndjson", ""))).toMatchObject({
      status: 1,
      out: expect.stringContaining("missing"),
    });
    await bench.write("main", [2], { unsealed: 2 });
    bench.now += 4 * 60_000;
    expect(await verify()).toMatchObject({ status: 0 });
    bench.now += 60_001;
    const { status, out } = await verify();
    expect([status, out]).toEqual([1, expect.stringContaining("unsealed: main 3 to 4")]);
  });

  it.each([[], ["--help"], ["keys.pem"], ["keys.pem", "--receipt"], ["a", "b", "c", "d"]])(
    "prints its usage for the arguments %j",
    (...args) => {
      expect(python(...args)).toEqual({
        status: 2,
        out: expect.stringMatching(/EXPORT\.ndjson.*--receipt.*cryptography/s),
      });
    },
  );

  it("accepts a receipt, and not a changed one", async () => {
    await bench.write("main", [7]);
    const state = await bench.open();
    const receipt = JSON.stringify(await receiptOf(state, "main", 7));
    await state.close();
    const keys = file("keys.pem", PAIR.publicKey);
    expect(python(keys, "--receipt", file("good.json", receipt)).status).toBe(0);
    for (const wrong of [receipt.replace("operator", "operatos"), receipt.replace(/"path":\["/, '"path":["AAAA","')]) {
      expect(python(keys, "--receipt", file("wrong.json", wrong)).status).toBe(1);
    }
  });
});
