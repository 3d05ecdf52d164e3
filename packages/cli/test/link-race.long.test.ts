import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { adminClient } from "../src/admin/admin-client.ts";
import { temporaryFolder } from "./command.ts";
import { children, serve } from "./serving.ts";

const ROUNDS = 100;
const CLAIMS = 1000;
const agent = new Agent({ keepAlive: true, maxSockets: CLAIMS });

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
}

/** `undefined` if the connection broke before a whole answer. */
function send(url: string, { method = "GET", body = "" } = {}): Promise<Answer | undefined> {
  const headers = {
    range: "bytes=0-9",
    ...(body === "" ? {} : { "content-type": "application/x-www-form-urlencoded" }),
  };
  return new Promise((resolve) => {
    const sent = request(url, { agent, method, headers }, (answer) => {
      const { statusCode: status = 0, headers: received } = answer;
      answer.on("end", () => resolve({ status, location: received.location })).on("error", () => resolve(undefined));
      answer.resume();
    });
    sent.on("error", () => resolve(undefined)).end(body);
  });
}

/** Sends again while no process listens, or the state is away: a replacement may still be starting. */
async function answered(url: string): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const status = (await send(url))?.status ?? 0;
    if ((status > 0 && status < 500) || attempt === 100) return status;
    await setTimeout(100);
  }
}

test(`a link of one delivery starts once for ${CLAIMS} claims at a time, in ${ROUNDS} rounds with two workers and kills`, async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "media"));
  writeFileSync(join(folder, "media/a.bin"), randomBytes(100_000));
  const { said, child, stop } = await serve(folder, "--port", "0", "--workers", "2");
  const admin = await adminClient({ folder: join(folder, ".daypass"), env: {} });
  // Its socket is absent while the owner of the state restarts after a kill.
  const repeat = async <T>(call: () => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (attempt === 100 || !/connect ENOENT|ECONNREFUSED/.test(String(error))) throw error;
        await setTimeout(100);
      }
    }
  };
  const shown = async (id: string) => {
    const { body } = await repeat(() => admin.call("GET /links/{id}", { params: { id } }));
    return body.deliveries.started;
  };
  let killed = 0;
  let repeated = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const body = { target: "media/a.bin", maxDeliveries: 1 };
    const { body: link } = await repeat(() => admin.call("POST /links", { body }));
    const path = new URL(link.url).pathname;
    const url = said.url + path;
    // A worker that is killed again and again is replaced later and later, so wait: the victim must not be the last one.
    await expect.poll(() => children(child.pid).workers.length, { timeout: 15_000 }).toBe(2);
    const victim = round % 3 !== 0 ? undefined : round % 2 === 0 ? "worker" : "owner";
    // The kill comes before the first answer, among the answers, or after them.
    const killAfter = victim === undefined ? -1 : (round * 7) % 60;
    const keys = Array.from({ length: CLAIMS }, (_, at) => `round-${round}-claim-${at}-of-many`);
    let answers = 0;
    const kill = (): void => {
      const { owner, workers } = children(child.pid);
      process.kill(victim === "owner" ? owner : (workers[round % workers.length] ?? 0), "SIGKILL");
      killed += 1;
    };
    const isPress = round % 3 === 1;
    const claim = async (key: string): Promise<Answer | undefined> => {
      const pressed = isPress ? await send(url, { method: "POST", body: `claim=${key}` }) : undefined;
      const next = isPress ? pressed?.location && `${said.url}${pressed.location}` : `${url}?dl=${key}`;
      const answer = next ? await send(next) : pressed;
      if (answers === killAfter) kill();
      answers += 1;
      return answer;
    };
    const results = await Promise.all(keys.map(claim));
    const winners = new Set(keys.filter((_, at) => results[at]?.status === 206));
    // A client that lost its connection, or was refused as one too many, asks again with its key. So does a new one.
    const open = keys.filter((_, at) => results[at] === undefined || (results[at]?.status ?? 0) >= 500);
    const late = [...open, `round-${round}-claim-of-another`];
    const again = await Promise.all(late.map((key) => answered(`${url}?dl=${key}`)));
    for (const [at, key] of late.entries()) if (again[at] === 206) winners.add(key);
    if (victim !== undefined) repeated += late.length;
    // No start and no kill makes a gateway forget what a link is: who does not win is refused with 410.
    const first = results.map((answer) => answer?.status ?? 0).filter((status) => status > 0 && status < 500);
    const statuses = new Set([...first, ...again].filter((status) => status !== 206));
    expect({ round, victim, refusals: [...statuses] }).toEqual({ round, victim, refusals: [410] });
    expect({ round, victim, started: await shown(link.id), winners: winners.size }).toEqual({
      ...{ round, victim, started: 1 },
      winners: 1,
    });
  }
  expect(killed).toBeGreaterThanOrEqual(Math.floor(ROUNDS / 3));
  expect(repeated).toBeGreaterThan(killed);
  agent.destroy();
  await stop();
});
