import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RevocationChange, type State, sqliteState } from "@daypass/gateway/state";
import { afterEach, beforeEach, expect, it } from "vitest";
import { revocationCopy, revocationFile } from "../src/state-owner/revocation-file.ts";

const BEGIN = Date.parse("2026-12-01T12:00:00Z");
let folder: string;
let path: string;
let now: number;
let state: State;
const clock = () => new Date(now);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "daypass-revocations-"));
  path = join(folder, "revocations.log");
  now = BEGIN;
  state = await sqliteState({ path: ":memory:", clock });
});
afterEach(async () => {
  await state.close();
  rmSync(folder, { recursive: true });
});

const revoke = (id: string) => state.revoke({ id, selector: { kind: "grant", id } }, "operator");

/** What a starting gateway knows by the file. */
function load() {
  const inForce = new Set<string>();
  let revision = 0;
  const at = revocationFile(path).load({
    apply(changes: readonly RevocationChange[], complete) {
      for (const { selector, liftedAt } of changes) inForce[liftedAt === undefined ? "add" : "delete"](selector.id);
      revision = complete;
    },
  });
  return { at, revision, ids: [...inForce].sort() };
}

it("adds what has changed to the copy, and keeps its time in the file", async () => {
  const copy = revocationCopy(state, path, clock);
  for (const id of ["1", "2"]) await revoke(id);
  await copy.update();
  expect(load()).toEqual({ at: BEGIN, revision: 2, ids: ["1", "2"] });
  const before = readFileSync(path, "utf8");
  now += 5000;
  await revoke("3");
  await state.lift("1", "operator");
  await copy.update();
  utimesSync(path, 0, 0);
  expect(load()).toEqual({ at: BEGIN + 5000, revision: 4, ids: ["2", "3"] });
  expect(readFileSync(path, "utf8").startsWith(before)).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await copy.close();
});

it("does not grow while nothing is revoked", async () => {
  const copy = revocationCopy(state, path, clock);
  await revoke("1");
  await copy.update();
  const { size } = statSync(path);
  for (let round = 0; round < 5; round += 1) {
    now += 5000;
    await copy.update();
  }
  expect([load().at, statSync(path).size]).toEqual([now, size]);
  await copy.close();
});

it("has no entry that the state has forgotten once a new process has written it", async () => {
  for (const [id, until] of [["1", BEGIN + 1] as const, ["2", undefined] as const])
    await state.revoke({ id, selector: { kind: "grant", id }, until }, "operator");
  const first = revocationCopy(state, path, clock);
  await first.update();
  await first.close();
  now += 3 * 24 * 60 * 60_000;
  await state.sweep();
  expect(load().ids).toEqual(["1", "2"]);
  const second = revocationCopy(state, path, clock);
  await second.update();
  expect(load()).toEqual({ at: now, revision: 2, ids: ["2"] });
  await second.close();
});

it("drops a torn last line, at whatever byte it is torn", async () => {
  const copy = revocationCopy(state, path, clock);
  await revoke("1");
  await copy.update();
  const whole = statSync(path).size;
  now += 5000;
  await revoke("2");
  await copy.update();
  await copy.close();
  const text = readFileSync(path, "utf8");
  const second = whole + text.slice(whole).indexOf("\n") + 1;
  for (let size = whole; size < text.length - 1; size += 1) {
    writeFileSync(path, text);
    truncateSync(path, size);
    // Without its line feed, a line is whole.
    const ids = size >= second - 1 ? ["1", "2"] : ["1"];
    expect(load(), String(size)).toMatchObject({ at: BEGIN, ids });
  }
});

it.each([
  ["a changed byte", (text: string) => text.replace('"id":"1"', '"id":"9"')],
  ["a lost beginning", (text: string) => text.slice(9)],
  ["an old format", () => '[{"revision":1}]'],
  ["nothing", () => ""],
])("is no copy with %s", async (_, change) => {
  const copy = revocationCopy(state, path, clock);
  await revoke("1");
  await copy.update();
  await copy.close();
  expect(load().at).toBe(BEGIN);
  writeFileSync(path, change(readFileSync(path, "utf8")));
  expect(load().at).toBe(undefined);
});

it("is no copy before the first one is whole", async () => {
  for (let id = 0; id < 20; id += 1) await revoke(String(id));
  let pages = 0;
  const broken: State = {
    ...state,
    isAvailable: () => pages < 3,
    async revocationsAfter(after) {
      pages += 1;
      if (pages > 2) throw new Error("away");
      const { revocations, revision } = await state.revocationsAfter(after, 4000);
      return {
        revocations: [
          ...revocations,
          ...Array.from({ length: 4000 - revocations.length }, () => revocations[0] as (typeof revocations)[0]),
        ],
        revision,
      };
    },
  };
  const copy = revocationCopy(broken, path, clock);
  await expect(copy.update()).rejects.toThrow("away");
  expect(load().at).toBe(undefined);
  await copy.close();
});

it("continues after bytes that a failed write left behind", async () => {
  const copy = revocationCopy(state, path, clock);
  await revoke("1");
  await copy.update();
  appendFileSync(path, "0123456 half of a line that met a full disk");
  expect(load().ids).toEqual(["1"]);
  now += 5000;
  await revoke("2");
  await copy.update();
  expect(load()).toEqual({ at: now, revision: 2, ids: ["1", "2"] });
  await copy.close();
});

it("writes a new file for a state that is older than the copy", async () => {
  let behind = state;
  const copy = revocationCopy(
    { ...state, revocationsAfter: (after, limit) => behind.revocationsAfter(after, limit) },
    path,
    clock,
  );
  for (const id of ["1", "2"]) await revoke(id);
  await copy.update();
  behind = await sqliteState({ path: ":memory:", clock });
  await behind.revoke({ id: "x", selector: { kind: "grant", id: "x" } }, "operator");
  now += 5000;
  await copy.update();
  expect(load()).toEqual({ at: now, revision: 1, ids: ["x"] });
  await behind.close();
  await copy.close();
});
