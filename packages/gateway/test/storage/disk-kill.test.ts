import { spawn } from "node:child_process";
import { createHash, randomInt } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { openDatabase } from "../../src/storage/disk/sqlite.ts";
import { disk } from "../../src/storage/disk.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { LANES, type Step, stepOf } from "./fixtures/uploads.ts";
import { leakedTemps, removeRoot, tempRoot } from "./temp-root.ts";

const ROUNDS = 60;
/** Long enough for the sweep, for many uploads, and short enough to hit the first of them. */
const LONGEST_MS = 250;

/** What may be there for a key: the outcome of the last acknowledged step, or of the one that the kill interrupted. */
type Expectation = Map<string, (Buffer | undefined)[]>;

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
      expected.set(step.key, [step.bytes]);
    }
  }
  for (const { key, bytes } of underWay.values()) expected.set(key, [...(expected.get(key) ?? [undefined]), bytes]);
  return lastTurn;
}

/** Compares the folder with what may be there; what is found becomes what is expected from now on. */
async function compare(root: string, expected: Expectation): Promise<void> {
  const storage = await disk({ root });
  let present = 0;
  for (const [key, allowed] of expected) {
    const object = await storage.get({ bucket: "bucket", key });
    const body = object?.body();
    const info = object?.info;
    if (body?.kind === "file") body.close();
    const match = allowed.find((bytes) => info?.etag === (bytes && createHash("md5").update(bytes).digest("hex")));
    if (info === undefined) expect(allowed, key).toContain(undefined);
    else {
      present++;
      expect(match, `${key} is torn or lost: ${JSON.stringify(info)}`).toBeDefined();
      expect(info.size).toBe(match?.length);
      expect(info.metadata).toHaveProperty("turn");
      if (body?.kind === "bytes") expect(Buffer.from(body.bytes).equals(match ?? Buffer.alloc(0))).toBe(true);
    }
    expected.set(key, [info === undefined ? undefined : match]);
  }
  await storage.close();
  expect(leakedTemps(root)).toEqual([]);
  const database = await openDatabase(join(root, ".daypass/index.db"), { readOnly: true });
  const count = database.prepare("SELECT count(*) AS count, min(settled) AS settled FROM objects").get();
  database.close();
  if (present > 0) expect({ ...(count as object) }).toEqual({ count: present, settled: 1 });
}

it("loses no acknowledged upload and tears none when it is killed at any moment", { timeout: 60_000 }, async () => {
  const program = await bundledFixture("uploader.ts");
  const root = tempRoot();
  const expected: Expectation = new Map();
  let turn = 0;
  let steps = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const log = await killedRun(program, root, { firstTurn: turn, early: round % 6 === 0 });
    steps += log.split("\n").filter((line) => line.startsWith("done")).length;
    turn = Math.max(turn, follow(expected, log) + 1);
    await compare(root, expected);
  }
  // The kills fell between uploads, not all before the first.
  expect(steps).toBeGreaterThan(ROUNDS * LANES);
  removeRoot(root);
});
