import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { expect, onTestFinished, test } from "vitest";
import { createLinks } from "../src/state-folder/link-files.ts";
import { daypass, daypassProcess, temporaryFolder } from "./command.ts";
import { type Running, serve, status } from "./serving.ts";

const SIZE = 300 * 1024 * 1024;

interface Bench {
  readonly start: () => Promise<Running>;
  /** Runs a command on the state, and returns what it prints as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: each command prints another resource
  readonly json: (...args: readonly string[]) => Promise<any>;
  /** The audit of a link. */
  readonly records: (link: string) => Promise<readonly { readonly action: string; readonly bytes?: number }[]>;
  /** The events that the webhook of every link received. */
  readonly events: readonly string[];
}

/** A folder with a large file, whose links notify a receiver. */
async function bench(workers: string, settings: object): Promise<Bench> {
  const events: string[] = [];
  const receiver = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    events.push(JSON.parse(body).type);
    response.end();
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void receiver.close());
  const folder = temporaryFolder();
  mkdirSync(join(folder, "media"));
  writeFileSync(join(folder, "media/film.mp4"), "");
  truncateSync(join(folder, "media/film.mp4"), SIZE);
  const config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify({ root: ".", webhooks: { allowNetworks: ["127.0.0.0/8"] }, ...settings }));
  const run = async (...args: readonly string[]) => {
    const { status: code, stdout, stderr } = await daypass([...args, "--state", join(folder, ".daypass"), "--json"]);
    expect([code, stderr]).toEqual([0, ""]);
    return stdout;
  };
  const json = async (...args: readonly string[]) => JSON.parse(await run(...args));
  const records = async (link: string) =>
    (await run("audit", "tail", "--link", link))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(JSON.parse(line).record));
  const start = () => serve(folder, "--port", "0", "--workers", workers, "--config", config);
  const first = await serve(folder, "--port", "0", "--config", config);
  await json("webhooks", "add", `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`);
  await first.stop();
  return { start, json, records, events };
}

/** A response whose first bytes have arrived, and which stands still. */
const begun = (url: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => response.once("readable", () => resolve(response))).once("error", reject);
  });

async function sizeOf(response: IncomingMessage): Promise<number> {
  let size = 0;
  response.on("data", (chunk: Buffer) => {
    size += chunk.length;
  });
  await finished(response).catch(() => undefined);
  return size;
}

const stopsListening = (url: string) =>
  expect.poll(() => status(url).catch(() => "refused"), { timeout: 10_000 }).toBe("refused");

test.each(["0", "2"])(
  "counts a download that ends while the gateway stops as completed (%s workers)",
  async (workers) => {
    const { start, json, records, events } = await bench(workers, { drainSeconds: 60 });
    const gateway = await start();
    const link = await json("links", "create", "media/film.mp4", "--max-deliveries", "1");
    const response = await begun(`${link.url}?dl=0123456789abcdef`);
    const stopped = gateway.stop();
    await stopsListening(`${gateway.said.url}/-/healthz`);
    expect(await sizeOf(response)).toBe(SIZE);
    expect(await stopped).toBe(0);
    await start();
    expect(await json("links", "show", link.id)).toMatchObject({ deliveries: { started: 1, completed: 1 } });
    expect(await records(link.id)).toContainEqual(
      expect.objectContaining({ action: "delivery.completed", bytes: SIZE }),
    );
    await expect.poll(() => events, { timeout: 10_000 }).toContain("delivery.completed");
  },
  60_000,
);

test("records how many bytes were sent of a download that the end of the stop cuts", async () => {
  const { start, json, records } = await bench("0", { drainSeconds: 1 });
  const gateway = await start();
  const link = await json("links", "create", "media/film.mp4", "--max-bytes", String(2 * SIZE));
  const response = await begun(`${link.url}?dl=0123456789abcdef`);
  expect(await gateway.stop()).toBe(0);
  const read = await sizeOf(response);
  expect(read).toBeLessThan(SIZE);
  await start();
  expect(await json("links", "show", link.id)).toMatchObject({ deliveries: { started: 1, completed: 0 } });
  const failed = (await records(link.id)).find(({ action }) => action === "delivery.failed");
  expect(failed?.bytes).toBeGreaterThanOrEqual(read);
  expect(failed?.bytes).toBeLessThan(SIZE);
}, 60_000);

test("exits if it cannot start after the process that owns the links", async () => {
  const folder = temporaryFolder();
  const config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify({ state: "state", storage: { driver: "s3", bucket: "media" } }));
  mkdirSync(join(folder, "state"), { mode: 0o700 });
  createLinks(join(folder, "state"));
  const { status: code, stderr } = await daypassProcess(["serve", "--port", "0", "--config", config]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("no AWS credentials")]);
});

test.each(["0", "2"])(
  "fails its readiness probe, answers for drainDelaySeconds, and only then begins drainSeconds (%s workers)",
  async (workers) => {
    const { start, json } = await bench(workers, { drainDelaySeconds: 2, drainSeconds: 60 });
    const gateway = await start();
    const link = await json("links", "create", "media/film.mp4");
    const begin = performance.now();
    const stopped = gateway.stop();
    const ready = async () => (await fetch(`${gateway.said.url}/-/readyz`)).text();
    await expect.poll(ready, { interval: 10 }).toBe("draining\n");
    const headers = { connection: "close", range: "bytes=0-9" };
    expect(await status(`${link.url}?dl=0123456789abcdef`, { headers })).toBe(206);
    expect(await stopped).toBe(0);
    expect(performance.now() - begin).toBeGreaterThan(2000);
  },
  60_000,
);
