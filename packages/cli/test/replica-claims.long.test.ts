import { randomBytes } from "node:crypto";
import { Agent, get } from "node:http";
import { describe, expect, test } from "vitest";
import { needsPostgres } from "../../../tools/postgres-server.ts";
import { processesOf, type Replica, startReplicas } from "./replicas.ts";
import { status } from "./serving.ts";

const reason = needsPostgres("radosgw");
/** Set `DAYPASS_CLAIM_ROUNDS` for another number. */
const ROUNDS = Number(process.env["DAYPASS_CLAIM_ROUNDS"] ?? 100);
const CLAIMS = 1000;
const SOON = { timeout: 30_000, interval: 50 };

const agent = new Agent({ keepAlive: true, maxSockets: 250 });

/** The status of one claim, from its own address; 0 if the connection ended. */
function claim({ running }: Replica, path: string, at: number): Promise<number> {
  const address = `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
  const url = `${running.said.url}${path}?dl=${randomBytes(16).toString("hex")}`;
  return new Promise((resolve) => {
    get(url, { agent, headers: { "x-forwarded-for": address } }, (answer) => {
      answer.resume().on("close", () => resolve(answer.complete ? (answer.statusCode ?? 0) : 0));
    }).on("error", () => resolve(0));
  });
}

describe.skipIf(reason)(`a link of one delivery at two replicas${reason ?? ""}`, () => {
  test("starts one delivery for a thousand concurrent claims, with kills and restarts of the database", async () => {
    const { database, replicas } = await startReplicas("LISTEN");
    const [one] = replicas;
    const [counts, killed, restarted] = [new Map<number, number>(), [] as number[], [] as number[]];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { running } of replicas) {
        await expect.poll(() => status(`${running.said.url}/-/readyz?links`).catch(() => 0), SOON).toBe(200);
      }
      let made: { id: string; url: string } | undefined;
      await expect
        .poll(async () => {
          made ??= await one
            .json("links", "create", "s3://media/report.pdf", "--max-deliveries", "1")
            .catch(() => undefined);
          return made !== undefined;
        }, SOON)
        .toBe(true);
      const { id = "", url = "" } = made ?? {};
      const { pathname } = new URL(url);
      const claims = Array.from({ length: CLAIMS }, (_, at) => claim(replicas[at % 2] as Replica, pathname, at));
      // The faults fall into the middle of the claims.
      await claims[round % 100];
      if (round % 3 === 0) {
        // A worker or the process that owns the state, never the primary: it would take its port along.
        const [, ...children] = processesOf(replicas[round % 2] as Replica);
        const pid = children[round % children.length];
        if (pid !== undefined) process.kill(pid, "SIGKILL");
        killed.push(round);
      }
      if (round % 10 === 5) {
        restarted.push(round);
        await database.stop("immediate");
        await database.start();
      }
      const statuses = await Promise.all(claims);
      for (const one of statuses) counts.set(one, (counts.get(one) ?? 0) + 1);
      expect(statuses.filter((one) => one === 200).length).toBeLessThanOrEqual(1);
      const started = database.sql(
        `SELECT count(*) FROM daypass.delivery WHERE link = '${id}' AND state <> 'claimed' AND state <> 'lapsed'`,
      );
      const counter = database.sql(`SELECT started || ' ' || used FROM daypass.variant WHERE link = '${id}'`);
      const records = database.sql(
        `SELECT count(*) FROM daypass.audit_record WHERE record LIKE '%"action":"delivery.started"%"result":"ok"%"link":"${id}"%'`,
      );
      expect([started, counter, records]).toEqual([
        started === "0" ? "0" : "1",
        started === "0" ? "0 0" : "1 1",
        started,
      ]);
      if (!killed.includes(round) && !restarted.includes(round)) expect(started).toBe("1");
    }
    // Most rounds lose no claim to a killed process.
    expect(counts.get(200) ?? 0).toBeGreaterThan(ROUNDS / 2);
    expect([killed.length, restarted.length]).toEqual([Math.ceil(ROUNDS / 3), Math.ceil((ROUNDS - 5) / 10)]);
    agent.destroy();
  }, 1_800_000);
});
