/** A restart of one replica after the other behind HAProxy, as docs/guide/replicas.md configures it. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { get, type IncomingMessage } from "node:http";
import { setTimeout } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { needsPostgres } from "../../../tools/postgres-server.ts";
import { temporaryFolder } from "./command.ts";
import { guideBlock } from "./guide-block.ts";
import { waitForProxy, write } from "./protected-album.ts";
import { guideSettings, type Replica, startReplicas } from "./replicas.ts";
import { status } from "./serving.ts";

const reason = needsPostgres("radosgw", "haproxy");
const SOON = { timeout: 30_000, interval: 50 };
const MOST_REQUESTS = 20_000;
const FILM_BYTES = 48 * 1024 * 1024;

async function startBalancer(front: number, [one, two]: readonly [Replica, Replica]): Promise<void> {
  const config = guideBlock("guide/replicas.md", "haproxy", {
    ":443 ssl crt /etc/haproxy/files.pem": `127.0.0.1:${front}`,
    "10.0.0.11:8080": `127.0.0.1:${one.port}`,
    "10.0.0.12:8080": `127.0.0.1:${two.port}`,
  });
  const proxy = spawn("/usr/sbin/haproxy", ["-f", write(temporaryFolder(), "haproxy.cfg", config)]);
  const ready = () => status(`http://127.0.0.1:${front}/-/readyz`).catch(() => 0);
  await waitForProxy("HAProxy", proxy, async () => (await ready()) === 200);
}

interface Load {
  /** What failed, with its status or error. */
  readonly failed: string[];
  /** How many requests of a kind succeeded. */
  readonly served: Map<string, number>;
  stop(): Promise<void>;
}

/** Sends requests of each kind, one after the other, until it is stopped. No client repeats a request. */
function load(kinds: Readonly<Record<string, () => Promise<number>>>): Load {
  const [failed, served] = [[] as string[], new Map<string, number>()];
  let left = MOST_REQUESTS;
  const lane = async (kind: string, send: () => Promise<number>): Promise<void> => {
    for (; left > 0; left -= 1) {
      const result = await send().catch((error: Error) => `${error.message} ${error.cause}`);
      if (result === 200) served.set(kind, (served.get(kind) ?? 0) + 1);
      else failed.push(`${kind}: ${result}`);
      await setTimeout(5);
    }
  };
  const lanes = Object.entries(kinds).flatMap(([kind, send]) => [lane(kind, send), lane(kind, send)]);
  const stop = async (): Promise<void> => {
    left = 0;
    await Promise.all(lanes);
  };
  onTestFinished(stop);
  return { failed, served, stop };
}

/** A download that has begun, and whose client does not read on. */
const begun = (url: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => response.once("readable", () => resolve(response))).once("error", reject);
  });

async function sizeOf(response: IncomingMessage): Promise<number> {
  let size = 0;
  for await (const chunk of response) size += chunk.length;
  return size;
}

describe.skipIf(reason)(`two replicas behind HAProxy${reason ?? ""}`, () => {
  test("fail no request while one after the other restarts, links and uploads included", async () => {
    const front = await freePort();
    const { replicas, presigned } = await startReplicas("LISTEN", {
      publicUrl: `http://127.0.0.1:${front}`,
      drainDelaySeconds: guideSettings.drainDelaySeconds,
    });
    const [one] = replicas;
    await startBalancer(front, replicas);
    expect(await status(presigned(one, "film.mp4", "PUT"), { method: "PUT", body: Buffer.alloc(FILM_BYTES) })).toBe(
      200,
    );
    const create = (key: string, ...more: readonly string[]) =>
      one.json("links", "create", `s3://media/${key}`, ...more);
    const [open, counted, film] = [
      await create("report.pdf"),
      await create("report.pdf", "--max-deliveries", String(MOST_REQUESTS)),
      await create("film.mp4", "--max-deliveries", "10"),
    ];
    let clients = 0;
    // Its own address for each client, because an address may claim a link five times in ten minutes.
    const claim = ({ url }: { url: string }): Promise<number> => {
      clients += 1;
      const headers = { "x-forwarded-for": `10.9.${clients >> 8}.${clients & 255}` };
      return status(`${url}?dl=${randomBytes(16).toString("hex")}`, { headers });
    };
    const { failed, served, stop } = load({
      "presigned GET": () => status(presigned(one)),
      "presigned PUT": () =>
        status(presigned(one, `${randomBytes(8).toString("hex")}.txt`, "PUT"), { method: "PUT", body: "a note" }),
      link: () => status(open.url),
      "counted link": () => claim(counted),
    });
    const requests = (replica: Replica, path: string): number => replica.running.log().split(`"${path}`).length - 1;
    for (const replica of replicas) {
      const isUsed = () => requests(replica, "/media/report.pdf") > 20 && requests(replica, "/l/") > 20;
      await expect.poll(isUsed, SOON).toBe(true);
      // HAProxy takes the replicas in turn.
      const downloads = await Promise.all([1, 2].map(() => begun(`${film.url}?dl=${randomBytes(16).toString("hex")}`)));
      const stopped = replica.running.stop();
      await setTimeout(guideSettings.drainDelaySeconds * 1000);
      expect(await Promise.all(downloads.map(sizeOf))).toEqual([FILM_BYTES, FILM_BYTES]);
      expect(await stopped).toBe(0);
      await replica.restart();
      await expect.poll(isUsed, SOON).toBe(true);
    }
    await stop();
    expect(failed).toEqual([]);
    for (const kind of ["presigned GET", "presigned PUT", "link", "counted link"])
      expect(served.get(kind)).toBeGreaterThan(100);
    expect(await one.json("links", "show", counted.id)).toMatchObject({
      deliveries: { started: served.get("counted link") },
    });
    expect(await one.json("links", "show", film.id)).toMatchObject({ deliveries: { started: 4 } });
  }, 240_000);
});
