import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { closeSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Body, Storage } from "../../src/storage/contract/storage.ts";
import { openDatabase } from "../../src/storage/disk/database/sqlite.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { LANES, md5, SOURCES, type Step, sourceBytes, stepOf } from "./fixtures/uploads.ts";
import { chunks, leakedTemps, removeRoot, tempRoot } from "./temp-root.ts";

/** `DAYPASS_KILL_ROUNDS` for more or fewer of them. */
const ROUNDS = Number(process.env["DAYPASS_KILL_ROUNDS"] ?? 200);
/** Long enough for the sweep, for many uploads, and short enough to hit the first of them. */
const LONGEST_MS = 250;

/** What may be there for a key: the outcome of the last acknowledged step, or of the one that the kill interrupted. */
type Expectation = Map<string, Outcome[]>;

/** The bytes of an object; `undefined` for none. */
type Outcome = Pick<Step, "bytes" | "etag"> | undefined;

const outcomeOf = (step: Step): Outcome => (step.how === "delete" ? undefined : step);

async function killedRun(program: string, root: string, run: { firstTurn: number; early: boolean }): Promise<string> {
  const child = spawn(process.execPath, [program, root, String(run.firstTurn)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const log = text(child.stdout);
  // However busy the machine is, most kills have to fall between uploads; the early ones hit the start and its sweep.
  if (!run.early) await once(child.stdout, "data");
  // A kill cannot be waited for by a condition: any moment is the point of it.
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

/** A listing shows what is there, and nothing else, whatever the kill has left in the index. */
async function compareListing(storage: Storage, expected: Expectation): Promise<void> {
  const { entries } = await storage.list("bucket", { prefix: "", limit: 1000 });
  const shown = entries.map((entry) => (entry.kind === "object" ? [entry.key, entry.etag] : [entry.prefix]));
  const there = [...expected].flatMap(([key, [outcome]]) => (outcome === undefined ? [] : [[key, outcome.etag]]));
  expect(shown).toEqual(there.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1)));
}

/** Compares the folder with what may be there; what is found becomes what is expected from now on. */
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
  // What an upload that was never completed has acknowledged stays, and of all others nothing.
  expect(readdirSync(join(root, ".daypass/uploads")).sort()).toEqual(open.sort());
  const database = await openDatabase(join(root, ".daypass/index.db"), { readOnly: true });
  const count = database.prepare("SELECT count(*) AS count, min(settled) AS settled FROM objects").get();
  database.close();
  if (present > 0) expect({ ...(count as object) }).toEqual({ count: present, settled: 1 });
}

/** Kills and compares, round after round in one folder. */
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
  // The kills have to fall between uploads, not all before the first: where the machine is slow it takes more of them.
  for (let round = 0; round < rounds || steps <= rounds * LANES; round++) {
    const log = await killedRun(program, root, { firstTurn: turn, early: round % 6 === 0 });
    steps += log.split("\n").filter((line) => line.startsWith("done")).length;
    turn = Math.max(turn, follow(expected, log) + 1);
    await compare(root, expected);
  }
  removeRoot(root);
}

it("loses no acknowledged upload and tears none when it is killed at any moment", {
  timeout: ROUNDS * 3000,
}, async () => {
  const program = await bundledFixture("uploader.ts");
  // Much of a round is waiting for the moment to kill: two folders share the processor.
  await Promise.all([killAndCompare(program, Math.ceil(ROUNDS / 2)), killAndCompare(program, Math.floor(ROUNDS / 2))]);
});
