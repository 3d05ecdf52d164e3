/** What an engine does with the schema of a newer release. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { RELEASE } from "../../src/state/contract/oldest.ts";
import type { State } from "../../src/state/contract/state.ts";

/** Migrations, by their numbers, that older releases can live with: they leave `oldest` as it is. */
const HARMLESS: readonly number[] = [7, 9];

interface Engine {
  readonly name: string;
  readonly migrations: readonly string[];
  /** Opens the same state each time. */
  open(): Promise<State>;
  /** Pretends that a newer release has migrated the closed state. */
  setVersion(version: number): void | Promise<void>;
  sql(text: string): void | Promise<void>;
}

/** Runs the cases on one state. */
export function newerSchema({ name, migrations, open, setVersion, sql }: Engine): void {
  const known = migrations.length;

  it(`${name} serves a later schema that this release can use, and refuses one of a later release`, async () => {
    const revoke = async (id: string): Promise<void> => {
      const state = await open();
      try {
        await state.revoke({ id, selector: { kind: "key", id } }, "operator");
      } finally {
        await state.close();
      }
    };
    await revoke("before");
    await setVersion(known + 2);
    await revoke("after");
    await sql(`UPDATE oldest SET version = ${known + 1}, release = '9.8.7'`);
    const refusal = await revoke("refused").catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: "STATE_UNUSABLE",
      message: expect.stringContaining("Daypass 9.8.7 or newer"),
    });
    expect(String(refusal)).toContain(`this is ${RELEASE} (schema ${known})`);
    await sql(`UPDATE oldest SET version = ${known}`);
    await revoke("allowed");
  });

  it(`${name} names its oldest release in each migration that is not harmless`, () => {
    const first = migrations.findIndex((text) => text.includes("oldest VALUES"));
    for (const [at, text] of migrations.entries()) {
      if (at < first || HARMLESS.includes(at + 1)) continue;
      const [, version, release] =
        /oldest (?:VALUES \(1, |SET version = )(\d+), (?:release = )?'([\d.]+)'/.exec(text) ?? [];
      expect([Number(version), release]).toEqual([at + 1, expect.any(String)]);
    }
  });
}

it("knows its own release", () => {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  expect(RELEASE).toBe(JSON.parse(manifest).version);
});
