import { expect, it } from "vitest";
import type { IndexWriter, UploadsIndexWriter } from "../../src/storage/disk/database/contract.ts";
import { answerCalls, type Channel, caller } from "../../src/storage/disk/database/ipc-calls.ts";
import { ipcIndexWriter, serveIndexWriter } from "../../src/storage/disk/database/ipc-writer.ts";
import { keyLock } from "../../src/storage/disk/database/key-lock.ts";
import { collectGarbage } from "../collect-garbage.ts";
import { connection } from "./connection.ts";

it("keeps nothing of a question that was answered", async () => {
  const { primary, worker } = connection();
  answerCalls<string>(primary, async (question) => ({ question }));
  const { ask } = caller<string>(worker);
  const answer = async () => new WeakRef((await ask("what")) as object);
  const answered = await answer();
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  expect(answered.deref()).toBeUndefined();
});

it("answers no one who only tells, and nobody who has gone", async () => {
  const { primary, worker, close } = connection();
  const sent: unknown[] = [];
  const heard: string[] = [];
  let answer = (): void => {};
  const slow = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const counted = {
    ...primary,
    send(message: unknown) {
      sent.push(message);
      primary.send(message);
    },
  };
  answerCalls<string>(counted, async (question) => {
    heard.push(question);
    if (question === "slow") await slow;
  });
  const { ask, tell } = caller<string>(worker);
  tell("told");
  await ask("asked");
  expect([heard, sent.length]).toEqual([["told", "asked"], 1]);
  const pending = ask("slow");
  while (heard.length < 3) await new Promise((resolve) => setImmediate(resolve));
  close();
  await expect(pending).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await expect(ask("late")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  tell("late");
  answer();
  await new Promise((resolve) => setTimeout(resolve));
  expect([heard, sent.length]).toEqual([["told", "asked", "slow"], 1]);
});

function serve(channel: Channel, uploads: UploadsIndexWriter): void {
  serveIndexWriter(channel, uploads as IndexWriter);
}

const PART = { uploadId: "id", ref: { bucket: "bucket", key: "a" }, number: 1, size: 1 };

it.each([
  ["a part", "no part", ({ openPart }: UploadsIndexWriter) => openPart(PART)],
  ["the end of an upload", "kept", ({ closeUpload }: UploadsIndexWriter) => closeUpload("id")],
])("gives %s back that is granted to a worker which has died meanwhile", async (_, given, ask) => {
  const { primary, worker, close } = connection();
  const ended: unknown[] = [];
  let grant: (() => void) | undefined;
  const granted = () =>
    new Promise<void>((resolve) => {
      grant = resolve;
    });
  serve(primary, {
    async createUpload() {},
    async openPart() {
      await granted();
      return { position: 0, finish: async (part) => void ended.push(part ?? "no part") };
    },
    async closeUpload() {
      await granted();
      return { busy: false, finish: async (outcome) => void ended.push(outcome) };
    },
  });
  const late = ask(ipcIndexWriter(worker));
  while (grant === undefined) await new Promise((resolve) => setImmediate(resolve));
  close();
  await expect(late).rejects.toMatchObject({ code: "UNAVAILABLE" });
  grant();
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toEqual([given]);
});

it("holds no part and no upload for a worker that has finished with it", async () => {
  const { primary, worker } = connection();
  const held: WeakRef<object>[] = [];
  const watched = <T extends object>(claim: T): T => {
    held.push(new WeakRef(claim));
    return claim;
  };
  serve(primary, {
    async createUpload() {},
    openPart: async () => watched({ position: 0, finish: async () => undefined }),
    closeUpload: async () => watched({ busy: false, finish: async () => undefined }),
  });
  const { openPart, closeUpload } = ipcIndexWriter(worker);
  await (await openPart(PART)).finish(undefined);
  await (await closeUpload("id")).finish("kept");
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  expect(held.map((claim) => claim.deref())).toEqual([undefined, undefined]);
});

it("takes turns also where one comes as another ends, and remembers no name that nobody waits for", async () => {
  const { lock: enter } = keyLock();
  const [first, second] = [enter("a"), enter("a")];
  (await first)();
  const leave = await second;
  let entered = false;
  const third = enter("a").then((end) => {
    entered = true;
    return end;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(entered).toBe(false);
  leave();
  (await third)();

  collectGarbage();
  const { heapUsed } = process.memoryUsage();
  for (let i = 0; i < 50_000; i++) (await enter(`name ${i}`.padEnd(200)))();
  collectGarbage();
  expect(process.memoryUsage().heapUsed - heapUsed).toBeLessThan(4e6);
});
