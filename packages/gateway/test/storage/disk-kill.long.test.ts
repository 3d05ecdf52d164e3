import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { closeSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { openDatabase } from "../../src/sqlite/database.ts";
import type { Body, Storage } from "../../src/storage/contract/storage.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { LANES, md5, SOURCES, type Step, sourceBytes, stepOf } from "./fixtures/uploads.ts";
import { chunks, leakedTemps, removeRoot, tempRoot } from "./temp-root.ts";

/** Set `DAYPASS_KILL_ROUNDS` for another number. */
const ROUNDS = Number(process.env["DAYPASS_KILL_ROUNDS"] ?? 200);
/** Long enough for the sweep and many uploads, and short enough to hit the first upload. */
const LONGEST_MS = 250;

/** The possible outcomes of a key: of its last acknowledged step, or of the step that the kill interrupted. */
type Expectation = Map<string, Outcome[]>;

/** An object; `undefined` if absent. */
type Outcome = Pick<Step, "bytes" | "etag"> | undefined;

const outcomeOf = (step: Step): Outcome => (step.how === "delete" ? undefined : step);

async function killedRun(program: string, root: string, run: { firstTurn: number; early: boolean }): Promise<string> {
  const child = spawn(process.execPath, [program, root, String(run.firstTurn)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const log = text(child.stdout);
  // Most kills must fall between uploads, even on a busy machine. The early ones hit the start and its sweep.
  if (!run.early) await once(child.stdout, "data");
  // The kill comes at a random moment, so no condition can be awaited.
  await setTimeout(randomInt(LONGEST_MS));
  child.kill("SIGKILL");
  await once(child, "close");
  return log;
}

function follow(expected: Expectation, log: string): number {
  let lastTurn = -1;
  const underWay = new Map<string, Step>();
  for (const line of log.split("\n").slice(0, -1)) {
    const [word, lane = "", turn = ""] = line.split(" ");
    if (word === "ready") continue;
    const step = stepOf(Number(lane), Number(turn));
    lastTurn = Math.max(lastTurn, Number(turn));
    if (word === "start") underWay.set(lane, step);
    else {
      underWay.delete(lane);
      expected.set(step.key, [outcomeOf(step)]);
    }
  }
  for (const step of underWay.values()) {
    expected.set(step.key, [...(expected.get(step.key) ?? [undefined]), outcomeOf(step)]);
  }
  return lastTurn;
}

function bytesOf(body: Body | undefined): Buffer {
  if (body?.kind === "bytes") return Buffer.from(body.bytes);
  if (body?.kind !== "file") throw new Error("expected bytes or a file");
  const bytes = Buffer.alloc(body.length);
  readSync(body.fd, bytes, 0, bytes.length, body.start);
  closeSync(body.fd);
  return bytes;
}

/** A listing shows the existing objects only, whatever the kill has left in the index. */
async function compareListing(storage: Storage, expected: Expectation): Promise<void> {
  const { entries } = await storage.list("bucket", { prefix: "", limit: 1000 });
  const shown = entries.map((entry) => (entry.kind === "object" ? [entry.key, entry.etag] : [entry.prefix]));
  const there = [...expected].flatMap(([key, [outcome]]) => (outcome === undefined ? [] : [[key, outcome.etag]]));
  expect(shown).toEqual(there.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1)));
}

/** Compares the folder with the possible outcomes. The found outcome is expected from now on. */
async function compare(root: string, expected: Expectation): Promise<void> {
  const storage = await disk({ root });
  let present = 0;
  for (const [key, allowed] of expected) {
    const object = await storage.get({ bucket: "bucket", key });
    const body = object?.body();
    const info = object?.info;
    const match = allowed.find((outcome) => info?.etag === outcome?.etag);
    if (info === undefined) expect(allowed, key).toContain(undefined);
    else {
      present++;
      expect(match, `${key} is torn or lost: ${JSON.stringify(info)}`).toBeDefined();
      expect(info.size).toBe(match?.bytes.length);
      expect(info.metadata).toHaveProperty("turn");
      expect(bytesOf(body).equals(match?.bytes ?? Buffer.alloc(0))).toBe(true);
    }
    expected.set(key, [info === undefined ? undefined : match]);
  }
  await compareListing(storage, expected);
  const { entries } = await storage.listUploads("bucket", { prefix: "", limit: 1000 });
  const open = entries.flatMap((entry) => (entry.kind === "upload" ? [entry.upload.uploadId] : []));
  await storage.close();
  expect(leakedTemps(root)).toEqual([]);
  // Only the parts of open uploads stay.
  expect(readdirSync(join(root, ".daypass/uploads")).sort()).toEqual(open.sort());
  const database = await openDatabase(join(root, ".daypass/index.db"), { readOnly: true });
  const count = database.prepare("SELECT count(*) AS count, min(settled) AS settled FROM objects").get();
  database.close();
  if (present > 0) expect({ ...(count as object) }).toEqual({ count: present, settled: 1 });
}

/** Kills and compares in rounds, in one folder. */
async function killAndCompare(program: string, rounds: number): Promise<void> {
  const root = tempRoot();
  const expected: Expectation = new Map();
  const storage = await disk({ root });
  for (const key of SOURCES) {
    const bytes = sourceBytes(key);
    await storage.put({ bucket: "bucket", key }, chunks(bytes), { metadata: { turn: "none" } });
    expected.set(key, [{ bytes, etag: md5(bytes) }]);
  }
  await storage.close();
  let turn = 0;
  let steps = 0;
  // Kills must fall between uploads, not all before the first. A slow machine needs more rounds.
  for (let round = 0; round < rounds || steps <= rounds * LANES; round++) {
    const log = await killedRun(program, root, { firstTurn: turn, early: round % 6 === 0 });
    steps += log.split("\n").filter((line) => line.startsWith("done")).length;
    turn = Math.max(turn, follow(expected, log) + 1);
    await compare(root, expected);
  }
  removeRoot(root);
}

it("neither loses nor tears an acknowledged upload when it is killed at any moment", {
  timeout: ROUNDS * 3000,
}, async () => {
  const program = await bundledFixture("uploader.ts");
  // A round mostly waits for the moment to kill, so two folders share the processor.
  await Promise.all([killAndCompare(program, Math.ceil(ROUNDS / 2)), killAndCompare(program, Math.floor(ROUNDS / 2))]);
});
